using IotGateway.Connectors.Files.Config;
using IotGateway.Testing;

namespace Files.Tests;

/// <summary>Files that are renamed, replaced, deleted and linked, while the source runs and while it does not.</summary>
public sealed class RotationTests : IAsyncDisposable
{
    readonly TailRig _rig = new();

    public ValueTask DisposeAsync() => _rig.DisposeAsync();

    [Fact]
    public async Task After_create_rotation_the_old_file_is_finished_before_the_new_one()
    {
        _rig.Append("1\n");
        var driver = await _rig.StartAsync();
        await _rig.UntilLines(driver, "1");
        driver.Gate = Hold(out var release);
        _rig.Append("2\n");
        File.Move(_rig.File(), _rig.File("a.log.1"));
        _rig.Append("4\n");
        File.AppendAllText(_rig.File("a.log.1"), "3\n");
        release();
        await _rig.UntilLines(driver, "1", "2", "3", "4");
        Assert.Equal(["1", "2", "3", "4"], _rig.Lines("a.log"));
        Assert.Empty(_rig.Store.Gaps);
    }

    [Fact]
    public async Task Lines_written_to_a_renamed_file_for_a_while_are_still_read()
    {
        _rig.Config = _rig.Config with { CloseAfter = TimeSpan.FromMinutes(1) };
        _rig.Append("1\n");
        var driver = await _rig.StartAsync();
        await _rig.UntilLines(driver, "1");
        File.Move(_rig.File(), _rig.File("a.log.1"));
        _rig.Append("new\n");
        await _rig.UntilLines(driver, "1", "new");
        File.AppendAllText(_rig.File("a.log.1"), "late\n");
        await _rig.UntilLines(driver, "1", "new", "late");
        Assert.Equal(["1", "new", "late"], _rig.Lines("a.log"));
    }

    [Fact]
    public async Task A_file_rotated_while_the_gateway_was_away_is_found_by_its_inode_and_finished_first()
    {
        _rig.Append("1\n");
        var driver = await _rig.StartAsync();
        await _rig.UntilLines(driver, "1");
        await driver.KillAsync();
        _rig.Append("2\nno end");
        File.Move(_rig.File(), _rig.File("a.log-20261120"));
        _rig.Append("3\n");
        driver = await _rig.StartAsync();
        await driver.UntilAsync(_ => _rig.Lines().Length == 4);
        Assert.Equal(["1", "2", "3", "no end"], _rig.Lines("a.log"));
        Assert.Empty(_rig.Store.Gaps);
    }

    [Fact]
    public async Task A_file_that_vanished_while_the_gateway_was_away_leaves_a_gap_once()
    {
        _rig.Append("1\n");
        var driver = await _rig.StartAsync();
        await _rig.UntilLines(driver, "1");
        await driver.KillAsync();
        File.Delete(_rig.File());
        _rig.Append("other\n", "b.log");
        for (var i = 0; i < 2; i++)
        {
            driver = await _rig.StartAsync();
            await _rig.UntilLines(driver, "1", "other");
            await driver.UntilAsync(s => s.Gaps.Count == 1);
            await driver.KillAsync();
        }
        Assert.Equal("file-gone", Assert.Single(_rig.Store.Gaps).Reason);
    }

    [Fact]
    public async Task A_file_that_comes_back_unchanged_is_not_read_twice()
    {
        _rig.Append("1\n");
        var driver = await _rig.StartAsync();
        await _rig.UntilLines(driver, "1");
        var away = Directory.CreateTempSubdirectory("away-").FullName;
        File.Move(_rig.File(), away + "/a.log");
        await driver.UntilAsync(s => s.State.Values.Any(v => TailRig.Text(v).Contains("goneAt", StringComparison.Ordinal)));
        File.Move(away + "/a.log", _rig.File());
        _rig.Append("2\n");
        await _rig.UntilLines(driver, "1", "2");
        Assert.Equal(["1", "2"], _rig.Lines());
        Directory.Delete(away);
    }

    [Fact]
    public async Task A_file_deleted_while_read_is_read_to_its_last_byte_and_forgotten()
    {
        _rig.Append("1\n");
        var driver = await _rig.StartAsync();
        await _rig.UntilLines(driver, "1");
        driver.Gate = Hold(out var release);
        _rig.Append("2\n3 without end");
        File.Delete(_rig.File());
        release();
        await driver.UntilAsync(s => s.State.Keys.All(k => !k.StartsWith("file/", StringComparison.Ordinal)));
        Assert.True(_rig.Lines() is ["1", "2", "3 without end"] or ["1"], string.Join('|', _rig.Lines()));
        Assert.Equal(["1", "2", "3 without end"], _rig.Lines());
    }

    [Fact]
    public async Task A_new_file_with_the_inode_of_a_deleted_one_is_read_from_its_beginning()
    {
        _rig.Append("first content\n");
        var driver = await _rig.StartAsync();
        await _rig.UntilLines(driver, "x");
        await driver.KillAsync();
        File.Delete(_rig.File());
        _rig.Append("other content, longer than the first\n", "b.log");      // ext4 and tmpfs hand the inode out again at once
        driver = await _rig.StartAsync();
        await _rig.UntilLines(driver, "x", "y");
        Assert.Equal(["other content, longer than the first"], _rig.Lines("b.log"));
    }

    [Fact]
    public async Task A_file_that_appears_later_and_one_in_a_new_folder_are_found()
    {
        _rig.Config = _rig.Config with { Path = _rig.Folder + "/**/*.log" };
        var driver = await _rig.StartAsync();
        Directory.CreateDirectory(_rig.File("x/y"));
        _rig.Append("1\n", "a.log");
        await _rig.UntilLines(driver, "1");
        _rig.Append("2\n", "x/y/b.log");
        await _rig.UntilLines(driver, "1", "2");
        _rig.Append("hidden\n", ".c.log");
        _rig.Append("packed\n", "d.log.gz");
        _rig.Append("3\n", "x/e.log");
        await _rig.UntilLines(driver, "1", "2", "3");
        Assert.Equal(["1", "2", "3"], _rig.Lines());
    }

    [Fact]
    public async Task Links_inside_are_followed_and_links_outside_are_not()
    {
        var outside = Path.GetTempFileName();
        File.WriteAllText(outside, "outside\n");
        Directory.CreateDirectory(_rig.File("data"));
        _rig.Append("inside\n", "data/real.txt");
        File.CreateSymbolicLink(_rig.File("in.log"), _rig.File("data/real.txt"));
        File.CreateSymbolicLink(_rig.File("out.log"), outside);
        var driver = await _rig.StartAsync();
        await _rig.UntilLines(driver, "inside");
        await driver.UntilAsync(_ => _rig.Context!.Reports.Any(r => r.Device == "out.log"));
        Assert.Equal(["inside"], _rig.Lines());
        await driver.KillAsync();
        _rig.Config = _rig.Config with { Links = LinkPolicy.Any };
        driver = await _rig.StartAsync();
        await driver.UntilAsync(_ => _rig.Lines().Length == 2);
        Assert.Equal("outside", _rig.Lines()[1]);
        File.Delete(outside);
    }

    [Fact]
    public async Task A_pipe_or_folder_that_matches_is_left_alone()
    {
        Directory.CreateDirectory(_rig.File("folder.log"));
        using (var mkfifo = System.Diagnostics.Process.Start("mkfifo", _rig.File("pipe.log"))) await mkfifo.WaitForExitAsync(TestContext.Current.CancellationToken);
        _rig.Append("1\n");
        var driver = await _rig.StartAsync();
        await _rig.UntilLines(driver, "1");
        Assert.Empty(_rig.Context!.Reports);
    }

    /// <summary>Holds the next append until released.</summary>
    static Func<IotGateway.Sdk.SourceBatch, Task> Hold(out Action release)
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        release = gate.SetResult;
        return _ => gate.Task;
    }
}
