using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace Acceptance.Tests.Kill;

/// <summary>
/// All kinds of work at once, on topics of their own: 16 idempotent producers; more of them on topics that are compacted and that retention and
/// delete-records shorten; transactions, some reading what they write; groups of both protocols that commit.
/// </summary>
sealed class Workload : IAsyncDisposable
{
    const int Partitions = 4;
    readonly List<Load> _loads;

    Workload(List<Load> loads) => _loads = loads;

    /// <summary>Acknowledgements of all kinds so far, in the order of the kinds.</summary>
    public long[] Acknowledged => [.. _loads.Select(l => l.Acknowledged)];

    /// <summary>What was done, in one sentence.</summary>
    public string Summary => string.Join("; ", _loads.Select(l => l.Summary));

    /// <summary>What the options of its gateway must be: work of the log that comes by itself comes all the time.</summary>
    public static Action<System.Text.Json.Nodes.JsonObject> Options => o => o["log"] = new System.Text.Json.Nodes.JsonObject { ["walSize"] = "16MiB", ["reserve"] = "16MiB", ["compactEvery"] = "300ms", ["retainEvery"] = "300ms" };

    /// <summary>Makes the topics and starts the work. The gateway must be running.</summary>
    public static async Task<Workload> StartAsync(string bootstrap, int seed)
    {
        using (var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = bootstrap }).Build())
        {
            await admin.CreateTopicsAsync(
            [
                new() { Name = "kill.plain", NumPartitions = Partitions, Configs = new() { ["segment.bytes"] = "4000000" } },
                new() { Name = "kill.shrinking", NumPartitions = ShrinkingLoad.Partitions, Configs = ShrinkingLoad.Settings },
                new() { Name = "kill.compacted", NumPartitions = CompactedLoad.Partitions, Configs = CompactedLoad.Settings },
                new() { Name = "kill.transactions", NumPartitions = TransactionLoad.Partitions },
                new() { Name = "kill.original", NumPartitions = CopyLoad.Partitions },
                new() { Name = "kill.copy", NumPartitions = CopyLoad.Partitions },
            ]);
        }
        return new(
        [
            new PlainLoad(bootstrap, "kill.plain", Partitions, producers: 16, pause: 100),
            new ShrinkingLoad(bootstrap, "kill.shrinking", seed),
            new CompactedLoad(bootstrap, "kill.compacted"),
            new TransactionLoad(bootstrap, "kill.transactions", seed),
            new CopyLoad(bootstrap, "kill.original", "kill.copy", seed),
            new GroupLoad(bootstrap, "kill.original", CopyLoad.Partitions, GroupProtocol.Classic),
            new GroupLoad(bootstrap, "kill.original", CopyLoad.Partitions, GroupProtocol.Consumer),
        ]);
    }

    /// <summary>
    /// Waits until the idempotent producers, or all kinds, have come further than <paramref name="since"/>, and moves that along.
    /// </summary>
    public async Task MovedAsync(long[] since, bool all, Func<string> context)
    {
        var now = Acknowledged;
        await Eventually.TrueAsync(() =>
        {
            now = Acknowledged;
            return all ? now.Zip(since).All(p => p.First > p.Second) : now[0] > since[0];
        }, 240, () => $"no acknowledgements since {string.Join(' ', since)}: {string.Join(' ', now)}. {context()}");
        if (all) now.CopyTo(since, 0);
        else since[0] = now[0];
    }

    /// <summary>Checks all kinds; fails with everything that is wrong.</summary>
    public async Task CheckAsync(Func<string> context)
    {
        await Task.WhenAll(_loads.Select(l => InTimeAsync(l, l.CheckAsync)));
        Judge(context);
    }

    /// <summary>Ends the work and checks all of it.</summary>
    public async Task FinishAsync(Func<string> context)
    {
        foreach (var load in _loads.AsEnumerable().Reverse()) await InTimeAsync(load, load.FinishAsync);
        Judge(context);
    }

    // What hangs is told like what is lost; it is left as it is.
    static async Task InTimeAsync(Load load, Func<Task> step)
    {
        try
        {
            await step().WaitAsync(TimeSpan.FromSeconds(300));
        }
        catch (TimeoutException e)
        {
            load.Failures.Enqueue($"{load.GetType().Name}: {load.Summary}; it does not come to an end: {e}");
        }
    }

    void Judge(Func<string> context)
    {
        var failures = _loads.SelectMany(l => l.Failures).ToList();
        if (failures.Count > 0) Assert.Fail($"{context()}\n{failures.Count} failures: {string.Join("\n", failures.Take(20))}");
    }

    /// <summary>Ends all, unless the gateway is gone, for which some clients wait for ever: why it is gone is then for the test to say.</summary>
    public async ValueTask DisposeAsync()
    {
        var all = Task.WhenAll(_loads.Select(l => Task.Run(async () => await l.DisposeAsync())));
        if (await Task.WhenAny(all, Task.Delay(TimeSpan.FromSeconds(30), CancellationToken.None)) == all) await all;
    }
}
