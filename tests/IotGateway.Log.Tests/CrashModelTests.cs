using System.Collections.Concurrent;
using System.Globalization;
using IotGateway.Log.Tests.Model;

namespace IotGateway.Log.Tests;

/// <summary>
/// Random work (units over several partitions and tables, idempotent producers, topics made, changed and deleted, delete-records, retention, compaction,
/// checkpoints, closes), failed operations, full disks, kills and power cuts at random disk operations, a start, and the question whether everything
/// promised is there; several rounds per seed. Seeds: LOG_SEEDS (how many), LOG_SEED (the first, or the only one).
/// </summary>
public sealed class CrashModelTests
{
    [Fact]
    public async Task Notices_a_disk_whose_syncs_do_nothing()
    {
        var noticed = 0;
        for (var seed = 1; seed <= 20; seed++)
        {
            try
            {
                await new ModelRun(seed) { Lies = true, Calm = true }.DoAsync();
            }
            catch (Exception)
            {
                noticed++;
            }
        }
        Assert.True(noticed >= 15, $"Of 20 runs over a lying disk only {noticed} were noticed: the model test would not see a lost sync.");
    }

    [Fact]
    public async Task Loses_nothing_acknowledged_and_tears_no_unit_whatever_the_power_cut_leaves()
    {
        var failures = new ConcurrentBag<string>();
        var seeds = Seeds(200);
        await Parallel.ForEachAsync(seeds, new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (seed, _) =>
        {
            var run = new ModelRun(seed);
            try
            {
                await run.DoAsync();
            }
            catch (Exception e)
            {
                failures.Add($"seed {seed}: {e}\n  {string.Join("\n  ", run.Story)}");
            }
        });
        Assert.True(failures.IsEmpty, $"{failures.Count} of {seeds.Length} seeds failed; the first:\n{failures.FirstOrDefault()}\n"
            + string.Join('\n', failures.Select(f => f.Split('\n')[0])));
    }

    /// <summary>LOG_SEED alone is that one; with LOG_SEEDS it is the first of them.</summary>
    internal static int[] Seeds(int otherwise)
    {
        var first = Number("LOG_SEED");
        return [.. Enumerable.Range(first ?? 1, Number("LOG_SEEDS") ?? (first is null ? otherwise : 1))];
    }

    static int? Number(string name) => int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : null;
}
