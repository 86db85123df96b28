using System.Text.Json.Nodes;

namespace IotGateway.Host.Bench;

/// <summary>From exec to the first record acknowledged (synced) and read back: after a clean stop, after kill -9, on an empty folder.</summary>
static class StartBench
{
    const int Rounds = 10;

    public static async Task<JsonObject> RunAsync(CancellationToken ct)
    {
        using var gateway = new BenchGateway();
        var (clean, killed) = (new List<double>(), new List<double>());
        await OnceAsync(gateway, ct).ConfigureAwait(false); // the first start makes the log; it is measured by itself below
        await gateway.EndAsync(kill: false).ConfigureAwait(false);
        for (var i = 0; i < Rounds; i++)
        {
            clean.Add(await OnceAsync(gateway, ct).ConfigureAwait(false));
            await gateway.EndAsync(kill: true).ConfigureAwait(false);
            killed.Add(await OnceAsync(gateway, ct).ConfigureAwait(false));
            await gateway.EndAsync(kill: false).ConfigureAwait(false);
        }
        using var fresh = new BenchGateway();
        var first = await OnceAsync(fresh, ct).ConfigureAwait(false);
        await fresh.EndAsync(kill: false).ConfigureAwait(false);
        return new JsonObject
        {
            ["after clean stop, median s"] = Median(clean),
            ["after clean stop, max s"] = Math.Round(clean.Max(), 3),
            ["after kill -9, median s"] = Median(killed),
            ["after kill -9, max s"] = Math.Round(killed.Max(), 3),
            ["first start, empty folder, s"] = Math.Round(first, 3),
        };
    }

    static Task<double> OnceAsync(BenchGateway gateway, CancellationToken ct) => FirstRecord.TimeAsync(gateway.Broker, () =>
    {
        gateway.Start();
        return Task.CompletedTask;
    }, ct);

    static double Median(List<double> values) => Math.Round(values.Order().ElementAt(values.Count / 2), 3);
}
