using IotGateway.Broker.Protocol.Messages;

namespace IotGateway.Broker.Tests.Server;

/// <summary>Small requests that many tests send.</summary>
static class Requests
{
    public static ProduceRequest Produce(string topic, byte[] batch, short acks = -1, int partition = 0) => new()
    {
        Acks = acks,
        TimeoutMs = 1000,
        TopicData = [new() { Name = topic, PartitionData = [new() { Index = partition, Records = batch }] }],
    };

    public static FetchRequest Fetch(string topic, long offset, int maxWait = 0, int maxBytes = 1 << 20, int sessionId = 0, int epoch = -1) => new()
    {
        MaxWaitMs = maxWait,
        MinBytes = 1,
        MaxBytes = maxBytes,
        SessionId = sessionId,
        SessionEpoch = epoch,
        Topics = [new() { Topic = topic, Partitions = [new() { Partition = 0, FetchOffset = offset, PartitionMaxBytes = maxBytes }] }],
    };

    public static async Task<ProduceResponse.PartitionProduceResponse> ProduceAsync(this RawClient client, string topic, byte[] batch)
        => (await client.CallAsync<ProduceRequest, ProduceResponse>(Produce(topic, batch), 9)).Responses[0].PartitionResponses[0];

    /// <summary>Partition 0 of topic t.</summary>
    public static async Task<ListOffsetsResponse.ListOffsetsPartitionResponse> AskAsync(this RawClient client, long timestamp) => (await client.CallAsync<ListOffsetsRequest, ListOffsetsResponse>(
        new() { ReplicaId = -1, Topics = [new() { Name = "t", Partitions = [new() { Timestamp = timestamp, CurrentLeaderEpoch = -1 }] }] }, 8)).Topics[0].Partitions[0];
}
