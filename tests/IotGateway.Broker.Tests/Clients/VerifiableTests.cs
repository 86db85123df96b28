using System.Text.Json.Nodes;
using Confluent.Kafka;

namespace IotGateway.Broker.Tests.Clients;

/// <summary>Apache Kafka's verifiable producer and consumer while the broker is killed: they say of each record what became of it.</summary>
public sealed class VerifiableTests
{
    [Fact]
    public async Task What_the_verifiable_clients_were_told_is_so_though_the_broker_is_killed()
    {
        KafkaTools.SkipWithout();
        const int count = 20_000;
        using var broker = new ChildBroker();
        await broker.StartAsync();
        using (var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = broker.Bootstrap }).Build())
            await admin.CreateTopicsAsync([new() { Name = "t", NumPartitions = 2, ReplicationFactor = 1 }]);
        // It does not try again what fails: an error is an answer, too.
        using var producer = new JavaProgram("verifiable-producer", "--bootstrap-server", broker.Bootstrap, "--topic", "t", "--max-messages", $"{count}", "--throughput", "4000", "--acks", "-1");
        using var consumer = new JavaProgram("verifiable-consumer", "--bootstrap-server", broker.Bootstrap, "--topic", "t", "--group-id", "g", "--reset-policy", "earliest", "--session-timeout", "6000", "--verbose");
        var acked = new List<int>();
        var consumed = new HashSet<(int Partition, long Offset)>();
        for (var kill = 1; kill <= 2; kill++)
        {
            await producer.WaitForAsync(line => Value(line) is { } value && value > kill * count / 4);
            await broker.KillAsync();
            await broker.StartAsync();
        }
        foreach (var line in await producer.EndAsync())
            if (Value(line) is { } value) acked.Add(value);
        var stored = TransactionClientTests.ReadAll(broker.Bootstrap, IsolationLevel.ReadUncommitted, "t").ConvertAll(v => int.Parse(v, System.Globalization.CultureInfo.InvariantCulture));
        Assert.True(acked.Count > count / 2, $"Only {acked.Count} were acknowledged.");
        Assert.Empty(acked.Except(stored)); // nothing acknowledged is lost,
        Assert.Equal(stored.Count, stored.Distinct().Count()); // nothing is there twice,
        await consumer.WaitForAsync(line =>
        {
            if (JsonNode.Parse(line) is JsonObject said && (string?)said["name"] == "record_data") consumed.Add(((int)said["partition"]!, (long)said["offset"]!));
            return consumed.Count == stored.Count; // and the group gets it all
        });
    }

    static int? Value(string line)
        => line.StartsWith('{') && JsonNode.Parse(line) is JsonObject said && (string?)said["name"] == "producer_send_success"
            ? int.Parse((string)said["value"]!, System.Globalization.CultureInfo.InvariantCulture) : null;
}
