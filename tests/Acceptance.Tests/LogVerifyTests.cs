using System.Text.Json.Nodes;
using Confluent.Kafka;

namespace Acceptance.Tests;

/// <summary>The command <c>log verify</c> on the folder of a running and of a stopped gateway.</summary>
public sealed class LogVerifyTests
{
    [Fact]
    public async Task Finds_nothing_in_a_running_and_a_killed_gateway_and_names_the_place_of_rot()
    {
        await using var gateway = new GatewayUnderTest();
        await gateway.StartAsync();
        using (var producer = new ProducerBuilder<Null, byte[]>(new ProducerConfig { BootstrapServers = gateway.Broker, LingerMs = 1 }).Build())
        {
            using var stop = new CancellationTokenSource();
            var writing = Task.Run(async () =>
            {
                while (!stop.IsCancellationRequested) await producer.ProduceAsync("verified", new() { Value = new byte[300] });
            });
            for (var i = 0; i < 5; i++) Assert.Equal(0, (await VerifyAsync(gateway.Data)).Code);
            await stop.CancelAsync();
            await writing;
        }
        await gateway.KillAsync();
        Assert.Equal(0, (await VerifyAsync(gateway.Data)).Code);
        await gateway.StartAsync();
        await gateway.StopAsync();
        var (clean, report) = await VerifyAsync(gateway.Data);
        Assert.Equal(0, clean);
        Assert.True((int)report["batches"]! > 5);

        var segment = Path.Combine(gateway.Data, "verified-0", "00000000000000000000.log");
        var bytes = await File.ReadAllBytesAsync(segment);
        bytes[100] ^= 1;
        await File.WriteAllBytesAsync(segment, bytes);
        var (rotten, findings) = await VerifyAsync(gateway.Data);
        Assert.Equal(1, rotten);
        var finding = Assert.Single(findings["findings"]!.AsArray());
        Assert.Equal((segment, 0), ((string?)finding!["path"], (int)finding["position"]!));
    }

    [Fact]
    public async Task A_folder_without_a_log_is_wrong_usage()
    {
        await using var tool = Tool.Start(Machine.Gateway, ["log", "verify", "--data", "/nonexistent"]);
        Assert.Equal(2, await tool.WaitAsync(20));
        Assert.Contains("--data", tool.Output, StringComparison.Ordinal);
    }

    static async Task<(int Code, JsonNode Report)> VerifyAsync(string data)
    {
        await using var tool = Tool.Start(Machine.Gateway, ["log", "verify", "--data", data, "--json"]);
        var code = await tool.WaitAsync(30);
        return (code, JsonNode.Parse(tool.Output)!);
    }
}
