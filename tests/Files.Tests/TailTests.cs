using IotGateway.Connectors.Files.Config;
using IotGateway.Sdk.Config;
using IotGateway.Sdk.Health;
using IotGateway.Testing;

namespace Files.Tests;

/// <summary>Following single files: growth, partial lines, truncation, holes, long lines, positions over restarts.</summary>
public sealed class TailTests : IAsyncDisposable
{
    readonly TailRig _rig = new();

    public ValueTask DisposeAsync() => _rig.DisposeAsync();

    async Task<SourceDriver> Expect(SourceDriver driver, params string[] lines)
    {
        await _rig.UntilLines(driver, lines);
        Assert.Equal(lines, _rig.Lines());
        return driver;
    }

    [Fact]
    public async Task Reads_what_is_there_and_what_is_added()
    {
        _rig.Append("one\ntwo\r\n\n");
        var driver = await _rig.StartAsync();
        await Expect(driver, "one", "two", "");
        _rig.Append("four\n");
        await Expect(driver, "one", "two", "", "four");
        var record = _rig.Store.Records[3];
        Assert.Equal("press-log", record.Topic);
        Assert.Equal(_rig.File(), TailRig.Text(record.Key));
        Assert.Equal(_rig.File(), TailRig.Header(record, "file.name"));
        Assert.Equal("10", TailRig.Header(record, "file.offset"));
        Assert.Empty(_rig.Store.Gaps);
    }

    [Fact]
    public async Task A_line_waits_for_its_end()
    {
        _rig.Append("one\ntw");
        var driver = await _rig.StartAsync();
        await Expect(driver, "one");
        _rig.Append("o");
        _rig.Append("x\n", "b.log");
        await Expect(driver, "one", "x");
        _rig.Append("\nthree\n");
        await Expect(driver, "one", "x", "two", "three");
    }

    [Fact]
    public async Task A_standing_partial_line_is_written_after_the_time_set_and_its_rest_later()
    {
        _rig.Config = _rig.Config with { PartialAfter = TimeSpan.FromMilliseconds(20) };
        _rig.Append("one\nprompt> ");
        var driver = await _rig.StartAsync();
        await Expect(driver, "one", "prompt> ");
        Assert.Equal("true", TailRig.Header(_rig.Store.Records[1], "file.partial"));
        _rig.Append("\nnext\n");
        await Expect(driver, "one", "prompt> ", "next");
        _rig.Append("ab");
        await Expect(driver, "one", "prompt> ", "next", "ab");
        _rig.Append("cd\n");
        await Expect(driver, "one", "prompt> ", "next", "ab", "cd");
        Assert.Equal("1", TailRig.Header(_rig.Store.Records[4], "file.part"));
    }

    [Fact]
    public async Task Continues_after_a_restart_where_it_was()
    {
        _rig.Append("one\ntwo\nthr");
        var driver = await _rig.StartAsync();
        await Expect(driver, "one", "two");
        await driver.KillAsync();
        _rig.Append("ee\nfour\n");
        driver = await _rig.StartAsync();
        await Expect(driver, "one", "two", "three", "four");
        Assert.Empty(_rig.Store.Gaps);
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task A_truncated_file_is_read_again_from_its_beginning(bool knownUnread)
    {
        _rig.Append(knownUnread ? "one\ntwo\nunfinished" : "one\ntwo\n");
        var driver = await _rig.StartAsync();
        await Expect(driver, "one", "two");
        File.WriteAllText(_rig.File(), "new\n");
        await Expect(driver, "one", "two", "new");
        Assert.Equal(knownUnread ? ["file-truncated"] : [], _rig.Store.Gaps.Select(g => g.Reason));
        if (knownUnread) Assert.Equal("a.log", _rig.Store.Gaps[0].Device);
        Assert.Contains(_rig.Context!.Log.Entries, e => e.Text.Contains("truncated", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_file_truncated_and_grown_past_its_old_size_is_noticed()
    {
        _rig.Append("header\none\n");
        var driver = await _rig.StartAsync();
        await Expect(driver, "header", "one");
        File.WriteAllText(_rig.File(), "header\nanother line\nand more\n");      // the same beginning, longer than before
        await Expect(driver, "header", "one", "header", "another line", "and more");
    }

    [Fact]
    public async Task A_file_replaced_while_nobody_looked_is_read_anew_with_a_gap()
    {
        _rig.Append("one\ntwo\n");
        var driver = await _rig.StartAsync();
        await Expect(driver, "one", "two");
        await driver.KillAsync();
        using (var f = new FileStream(_rig.File(), FileMode.Open)) { f.SetLength(0); f.Write("xne\ntwo\nthree\n"u8); }
        driver = await _rig.StartAsync();
        await Expect(driver, "one", "two", "xne", "two", "three");
        Assert.Equal("file-replaced", Assert.Single(_rig.Store.Gaps).Reason);
    }

    [Fact]
    public async Task Zero_bytes_before_a_line_are_a_hole_and_passed_over()
    {
        _rig.Append("one\n");
        var driver = await _rig.StartAsync();
        await Expect(driver, "one");
        using (var f = new FileStream(_rig.File(), FileMode.Open)) { f.SetLength(3_000_000); }
        _rig.Append("two\n");
        await Expect(driver, "one", "two");
        Assert.Equal("3000000", TailRig.Header(_rig.Store.Records[1], "file.offset"));
        using (var f = new FileStream(_rig.File(), FileMode.Open)) { f.SetLength(3_000_010); }
        _rig.Append("a\0b\n");
        await Expect(driver, "one", "two", "a\0b");
        await driver.KillAsync();
        _rig.Append("four\n");
        await Expect(await _rig.StartAsync(), "one", "two", "a\0b", "four");
    }

    [Fact]
    public async Task Zero_bytes_at_the_end_may_still_become_a_line()
    {
        _rig.Append("one\n");
        using (var f = new FileStream(_rig.File(), FileMode.Open)) { f.SetLength(4096); }     // a preallocating writer
        var driver = await _rig.StartAsync();
        await Expect(driver, "one");
        using (var f = new FileStream(_rig.File(), FileMode.Open)) { f.Position = 4; f.Write("two\n"u8); }
        await Expect(driver, "one", "two");
    }

    [Fact]
    public async Task A_line_over_the_limit_comes_in_numbered_pieces()
    {
        _rig.Config = _rig.Config with { MaxLine = new(64) };
        var text = string.Concat(Enumerable.Range(0, 40).Select(i => $"{i:0000}"));
        _rig.Append("short\n" + text + "\nend\n" + new string('x', 64) + "\n");
        var driver = await _rig.StartAsync();
        await Expect(driver, "short", text[..64], text[64..128], text[128..], "end", new string('x', 64));
        Assert.Equal(["0", "1", "2"], _rig.Store.Records.Skip(1).Take(3).Select(r => TailRig.Header(r, "file.part")));
        Assert.Equal(["true", "true", "<null>"], _rig.Store.Records.Skip(1).Take(3).Select(r => TailRig.Header(r, "file.more")));
        Assert.Equal("<null>", TailRig.Header(_rig.Store.Records[5], "file.part"));
    }

    [Fact]
    public async Task A_line_without_end_of_a_hundred_megabytes_takes_bounded_memory()
    {
        const int size = 100 << 20;
        var block = new byte[1 << 20];
        block.AsSpan().Fill((byte)'x');
        await using (var f = File.Create(_rig.File())) for (var i = 0; i < size >> 20; i++) f.Write(block);
        _rig.Append("\nafter\n");
        var source = (IotGateway.Sdk.ISource)new IotGateway.Connectors.Files.FilesFactory().Create(_rig.Config, new FakeContext(_rig.Store));
        await source.OpenAsync(IotGateway.Sdk.OpenMode.Run, TestContext.Current.CancellationToken);
        long bytes = 0, largest = 0;
        string? last = null;
        await foreach (var batch in source.ReadAsync(TestContext.Current.CancellationToken))
        {
            foreach (var record in batch.Records)
            {
                (bytes, last) = (bytes + record.Value!.Value.Length, TailRig.Text(record.Value));
                largest = Math.Max(largest, record.Value.Value.Length);
            }
            await batch.OnDurable!(TestContext.Current.CancellationToken);
            if (last == "after") break;
        }
        await source.DisposeAsync();
        Assert.Equal(size + 5, bytes);
        Assert.Equal(_rig.Config.MaxLine.Bytes, largest);
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true), 0, 50 << 20);
    }

    [Fact]
    public async Task Bytes_that_are_no_utf8_are_passed_unchanged()
    {
        byte[] latin = [0x47, 0xFC, 0x74, 0xFF, 0xFE];
        File.WriteAllBytes(_rig.File(), [0xEF, 0xBB, 0xBF, .. "bom\n"u8, .. latin, (byte)'\n']);
        var driver = await _rig.StartAsync();
        await driver.UntilAsync(s => s.Records.Count == 2);
        Assert.Equal("bom", TailRig.Text(_rig.Store.Records[0].Value));
        Assert.Equal(latin, _rig.Store.Records[1].Value!.Value.ToArray());
    }

    [Fact]
    public async Task Json_holds_file_offset_time_and_line()
    {
        _rig.Config = _rig.Config with { Format = LineFormat.Json, Topic = "logs.${stem}", Key = "" };
        File.WriteAllBytes(_rig.File(), [.. "say \"hü\"\n"u8, 0xFF, (byte)'\n']);
        var driver = await _rig.StartAsync(new ManualTime());
        await driver.UntilAsync(s => s.Records.Count == 2);
        var record = _rig.Store.Records[0];
        Assert.Equal("logs.a", record.Topic);
        Assert.Null(record.Key);
        Assert.Equal("{\"file\":\"" + _rig.File() + "\",\"offset\":0,\"time\":\"2026-11-20T08:00:00.000000Z\",\"line\":\"say \\\"hü\\\"\"}", TailRig.Text(record.Value));
        using var second = System.Text.Json.JsonDocument.Parse(_rig.Store.Records[1].Value!.Value);
        Assert.Equal("\uFFFD", second.RootElement.GetProperty("line").GetString());
    }

    [Fact]
    public async Task Beginning_at_the_end_skips_only_what_was_there_at_the_very_first_start()
    {
        _rig.Config = _rig.Config with { Start = StartAt.End };
        _rig.Append("old\nold too\npart");
        var driver = await _rig.StartAsync();
        await driver.UntilAsync(s => s.State.Count == 2);
        await driver.KillAsync();
        _rig.Append("ial\nnew\n");
        _rig.Append("later\n", "b.log");
        driver = await _rig.StartAsync();
        await driver.UntilAsync(s => s.Records.Count == 3);
        Assert.Equal(["partial", "new"], _rig.Lines("a.log"));
        Assert.Equal(["later"], _rig.Lines("b.log"));
    }

    [Fact]
    public async Task A_file_that_may_not_be_read_is_reported_once_and_the_others_go_on()
    {
        if (Environment.UserName == "root") Directory.CreateSymbolicLink(_rig.File("secret.log"), "/etc/hostname");      // root may read everything, but not follow this link
        else
        {
            _rig.Append("x\n", "secret.log");
#pragma warning disable CA1416 // the gateway runs on Linux
            File.SetUnixFileMode(_rig.File("secret.log"), UnixFileMode.None);
#pragma warning restore CA1416
        }
        _rig.Append("one\n");
        var driver = await _rig.StartAsync();
        await Expect(driver, "one");
        _rig.Append("two\n");
        await Expect(driver, "one", "two");
        var report = Assert.Single(_rig.Context!.Reports);
        Assert.Equal(("secret.log", PartState.Down, "files:permission-denied"), (report.Device, report.State, report.Code));
        File.Delete(_rig.File("secret.log"));
        _rig.Append("three\n", "secret.log");
        await Expect(driver, "one", "two", "three");
        await driver.UntilAsync(_ => _rig.Context.Reports.Count == 2);
        Assert.Equal(PartState.Ok, _rig.Context.Reports.Last().State);
    }
}
