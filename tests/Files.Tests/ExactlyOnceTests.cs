using System.Globalization;
using System.Text;
using IotGateway.Sdk.Config;

namespace Files.Tests;

/// <summary>Whatever a writer and the gateway do to each other, every line is there exactly once and in order. Seeds are printed.</summary>
public sealed class ExactlyOnceTests
{
    [Theory, InlineData(0), InlineData(1), InlineData(2), InlineData(3), InlineData(4), InlineData(5)]
    public async Task Random_writes_rotations_and_kills_lose_and_double_nothing(int round)
    {
        var seed = Environment.GetEnvironmentVariable("SEED") is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : Random.Shared.Next();
        TestContext.Current.TestOutputHelper!.WriteLine($"SEED={seed} (round {round})");
        var random = new Random(seed + round);
        await using var rig = new TailRig();
        rig.Config = rig.Config with { CloseAfter = TimeSpan.FromSeconds(2), BatchLines = random.Next(1, 50), MaxLine = new ByteSize(8 << 10) };
        var written = new List<string>();
        var driver = await rig.StartAsync();
        var begun = 0;
        for (var step = 0; step < 60; step++)
        {
            switch (random.Next(10))
            {
                case 0:
                    await driver.KillAsync();
                    driver = await rig.StartAsync();
                    break;
                case 1 when written.Count > 0:
                    // Rotation: the end of the old file is still to come, then the new file begins. A file must have been seen under
                    // its path at least once, else nobody can know that it was there.
                    await driver.UntilAsync(_ => rig.Lines().Length > begun, what: "a line of the present file");
                    var rotated = rig.File($"a.log.{step}");
                    File.Move(rig.File(), rotated);
                    Write(random, rotated, written);
                    begun = written.Count;
                    Write(random, rig.File(), written);
                    if (random.Next(2) == 0) goto case 0;
                    break;
                default:
                    Write(random, rig.File(), written);
                    break;
            }
            if (random.Next(3) == 0) await Task.Delay(random.Next(20), TestContext.Current.CancellationToken);
        }
        await driver.UntilAsync(_ => rig.Lines().Length >= written.Count, what: $"{written.Count} lines");
        Assert.Equal(written, rig.Lines());
        Assert.Empty(rig.Store.Gaps);
    }

    /// <summary>Some lines, in pieces that end anywhere.</summary>
    static void Write(Random random, string path, List<string> written)
    {
        var text = new StringBuilder();
        for (var i = random.Next(1, 40); i > 0; i--)
        {
            var line = written.Count.ToString(CultureInfo.InvariantCulture) + new string((char)('a' + random.Next(26)), random.Next(10) == 0 ? random.Next(5000) : random.Next(60));
            written.Add(line);
            text.Append(line).Append('\n');
        }
        var bytes = Encoding.UTF8.GetBytes(text.ToString());
        using var file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite, 0);
        for (var at = 0; at < bytes.Length;)
        {
            var n = Math.Min(random.Next(1, 3000), bytes.Length - at);
            file.Write(bytes, at, n);
            at += n;
        }
    }
}
