using System.Globalization;

namespace Acceptance.Tests.PowerCut;

/// <summary>The harness itself: a cut loses what was not synced, and nothing that was. Proven with a program that is not ours.</summary>
public sealed class LoopDiskTests
{
    // Appends numbers, syncs each, and prints it: what is printed must survive.
    const string Writer = """
        import os, sys
        f = os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        os.fsync(os.open(os.path.dirname(sys.argv[1]), os.O_RDONLY))
        for n in range(1 << 30):
            os.write(f, b"%d\n" % n)
            os.fdatasync(f)
            print(n, flush=True)
        """;

    [Fact]
    public async Task A_cut_keeps_what_was_synced_and_the_file_system_is_sound()
    {
        await using var disk = await LoopDisk.CreateAsync(64 << 20);
        for (var round = 0; round < 3; round++)
        {
            var (printed, found) = await WriteAndCutAsync(disk, $"numbers{round}", new Dictionary<string, string>());
            Assert.True(found >= printed, $"{printed + 1} numbers were synced, {found + 1} are there.");
            Assert.True(printed > 0, "The writer wrote nothing; the round proves nothing.");
            await disk.CheckAsync();
        }
    }

    [Fact]
    public async Task With_syncing_stubbed_out_a_cut_loses_what_was_called_synced()
    {
        var shim = await SyncShim.EnvironmentAsync("none");
        await using var disk = await LoopDisk.CreateAsync(64 << 20);
        var (printed, found) = await WriteAndCutAsync(disk, "numbers", shim);
        Assert.True(found < printed, $"{printed + 1} numbers were called synced, {found + 1} are there: the stub or the cut does not work.");
    }

    [Fact]
    public async Task The_stub_can_fail_after_a_number_of_syncs()
    {
        var file = Path.Combine(Directory.CreateTempSubdirectory("shim-").FullName, "numbers");
        await using var writer = Tool.Start("/usr/bin/python3", ["-c", Writer, file], await SyncShim.EnvironmentAsync("fail:11"));
        await writer.WaitAsync(20);
        Assert.Contains("9\n", writer.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("10\n", writer.Output, StringComparison.Ordinal);
        Assert.Contains("Input/output error", writer.Output, StringComparison.Ordinal);
    }

    /// <summary>Last number printed before the cut, and last number on the disk after it; -1 for none.</summary>
    static async Task<(int Printed, int Found)> WriteAndCutAsync(LoopDisk disk, string name, IReadOnlyDictionary<string, string> environment)
    {
        var file = Path.Combine(disk.Mount, name);
        await using var writer = Tool.Start("/usr/bin/python3", ["-c", Writer, file], environment);
        await writer.SawAsync("\n20\n");
        await writer.FreezeAsync();
        await disk.CutAsync();
        writer.Signal(Signals.Kill);
        await writer.WaitAsync(10);
        await disk.PowerOnAsync();
        return (Last(writer.Output.Split('\n')), File.Exists(file) ? Last(File.ReadAllText(file).Split('\n')[..^1]) : -1);
    }

    static int Last(IEnumerable<string> lines) => lines.Select(l => int.TryParse(l, NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : -1).DefaultIfEmpty(-1).Max();
}
