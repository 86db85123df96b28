using System.Text.Json.Nodes;
using IotGateway.Host.Bench.AgainstMosquitto;

namespace IotGateway.Host.Bench;

/// <summary>Memory and processor time of a gateway with four connectors that have nothing to do.</summary>
static class IdleBench
{
    static readonly TimeSpan Settle = TimeSpan.FromSeconds(10), Measured = TimeSpan.FromSeconds(20);

    public static async Task<JsonObject> RunAsync(CancellationToken ct)
    {
        using var gateway = new BenchGateway();
        var machine = FreePorts.Take();
        var log = Path.Combine(gateway.Root, "machine.log");
        await File.WriteAllTextAsync(log, "", ct).ConfigureAwait(false);
        await using var broker = await BenchMosquitto.StartAsync(ct).ConfigureAwait(false);
        gateway.Connector("simulator", new JsonObject { ["connector"] = "simulator", ["listen"] = $"127.0.0.1:{machine}" });
        gateway.Connector("line", new JsonObject
        {
            ["connector"] = "modbus",
            ["endpoint"] = $"tcp://127.0.0.1:{machine}",
            ["every"] = "10s",
            ["devices"] = new JsonArray(new JsonObject
            {
                ["name"] = "press1",
                ["unitId"] = 1,
                ["tags"] = new JsonArray(new JsonObject { ["name"] = "temperature", ["address"] = "holding:100", ["type"] = "float32" }),
            }),
        });
        gateway.Connector("lines", new JsonObject { ["connector"] = "files", ["path"] = log });
        gateway.Connector("plant", new JsonObject
        {
            ["connector"] = "mqtt",
            ["endpoint"] = $"mqtt://127.0.0.1:{broker.Port}",
            ["subscriptions"] = new JsonArray(new JsonObject { ["filter"] = "plant/#", ["qos"] = 1 }),
        });
        gateway.Start();
        await Task.Delay(Settle, TimeProvider.System, ct).ConfigureAwait(false);
        var before = BenchGateway.Cpu(gateway.Pid);
        await Task.Delay(Measured, TimeProvider.System, ct).ConfigureAwait(false);
        var used = BenchGateway.Cpu(gateway.Pid) - before;
        var (pss, anonymous) = gateway.Memory();
        await gateway.EndAsync(kill: false).ConfigureAwait(false);
        return new JsonObject
        {
            ["connectors"] = 4,
            ["PSS, MiB"] = Math.Round(pss, 1),
            ["anonymous, MiB"] = Math.Round(anonymous, 1),
            ["processor, % of a core"] = Math.Round(100 * used / Measured, 2),
        };
    }
}
