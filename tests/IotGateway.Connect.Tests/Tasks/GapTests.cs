using System.Text;
using System.Text.Json;
using IotGateway.Connect.Tasks;
using IotGateway.Connect.Tests.EventLog;
using IotGateway.Sdk;
using IotGateway.Sdk.Data;
using IotGateway.Sdk.Health;

namespace IotGateway.Connect.Tests.Tasks;

public sealed class GapTests
{
    readonly MemoryEventLog _log = new();
    readonly ManualTime _time = new();
    readonly Script _script = new();

    Task<Worker> StartAsync() => Gateway.StartAsync(_log, Gateway.Config(Gateway.Connector("press-line", _script)), _time);

    IReadOnlyList<JsonElement> Gaps => [.. _log.Texts("gateway.gaps").Select(t => JsonDocument.Parse(t).RootElement)];
    IReadOnlyList<JsonElement> Readings => [.. _log.Texts("press-line").Select(t => JsonDocument.Parse(t).RootElement)];

    static string? Get(JsonElement e, string name) => e.GetProperty(name).GetString();

    async Task<Tag> OneReadingAsync(Instance source, string name = "temperature")
    {
        var tag = source.Context.Tag("press1", name, DataType.Float32)!;
        var before = _log.Records("press-line").Count;
        source.Put(new Reading(tag, Value.Of(21.1f), default, _time.GetUtcNow().UtcDateTime));
        await _log.UntilAsync(() => _log.Records("press-line").Count > before, "a reading");
        return tag;
    }

    [Fact]
    public async Task What_the_disk_has_lost_of_the_log_is_a_closed_gap_with_its_offsets()
    {
        _log.Lost = [new("press-line", 0, 7, 9, new(2026, 11, 20, 7, 0, 0, DateTimeKind.Utc), new(2026, 11, 20, 7, 0, 2, DateTimeKind.Utc))];
        await using var worker = await StartAsync();
        var gap = Assert.Single(Gaps);
        Assert.Equal(("log", "log-damaged", "closed", "press-line"), (Get(gap, "connector"), Get(gap, "reason"), Get(gap, "status"), Get(gap, "topic")));
        Assert.Equal(("2026-11-20T07:00:00.000000Z", "2026-11-20T07:00:02.000000Z"), (Get(gap, "from"), Get(gap, "to")));
        Assert.Equal((7, 9, 2), (gap.GetProperty("fromOffset").GetInt32(), gap.GetProperty("toOffset").GetInt32(), gap.GetProperty("lost").GetInt32()));
    }

    [Fact]
    public async Task A_fault_opens_a_gap_from_the_last_reading_and_marks_its_tags_once_and_running_again_closes_it()
    {
        await using var worker = await StartAsync();
        var source = await _script.NextAsync();
        await OneReadingAsync(source);
        _time.Advance(TimeSpan.FromSeconds(5));
        source.Fault(new IOException("cable cut"));
        await _log.UntilAsync(() => Gaps.Count == 1 && Readings.Count == 2, "open");
        Assert.Equal(("press-line", "2026-11-20T08:00:00.000000Z", null, "connection-lost", "open"),
            (Get(Gaps[0], "connector"), Get(Gaps[0], "from"), Get(Gaps[0], "to"), Get(Gaps[0], "reason"), Get(Gaps[0], "status")));
        Assert.Equal(("bad", "connection-lost"), (Get(Readings[1], "quality"), Get(Readings[1], "status")));
        await Gateway.UntilAsync(() => worker.Snapshot("press-line")!.State == RunState.Retrying, "retrying");
        _time.Advance(TimeSpan.FromSeconds(1));
        await _log.UntilAsync(() => Gaps.Count == 2, "closed");
        Assert.Equal((Get(Gaps[0], "id"), "2026-11-20T08:00:06.000000Z", "closed"), (Get(Gaps[1], "id"), Get(Gaps[1], "to"), Get(Gaps[1], "status")));
        Assert.Equal(Get(Gaps[1], "id"), Encoding.UTF8.GetString(_log.Records("gateway.gaps")[1].Key!.Value.Span));
        Assert.Empty(_log.Scan("connect.gaps"));
        Assert.Equal(2, Readings.Count);
    }

    [Fact]
    public async Task A_process_that_was_killed_leaves_a_gap_from_the_last_durable_reading()
    {
        var dead = await StartAsync(); // never stopped: as good as kill -9
        await OneReadingAsync(await _script.NextAsync());
        Assert.Empty(Gaps);
        _time.Advance(TimeSpan.FromHours(1));
        await using var worker = await StartAsync();
        await _log.UntilAsync(() => Gaps.Count == 2, "closed");
        Assert.Equal(("2026-11-20T08:00:00.000000Z", "gateway-down", "open"), (Get(Gaps[0], "from"), Get(Gaps[0], "reason"), Get(Gaps[0], "status")));
        Assert.Equal(("2026-11-20T09:00:00.000000Z", "closed"), (Get(Gaps[1], "to"), Get(Gaps[1], "status")));
        await dead.DisposeAsync();
    }

    [Fact]
    public async Task A_first_start_has_no_gap()
    {
        await using var worker = await StartAsync();
        await OneReadingAsync(await _script.NextAsync());
        Assert.Empty(Gaps);
    }

    [Fact]
    public async Task A_clean_stop_is_a_gap_until_it_runs_again()
    {
        await using (await StartAsync()) await OneReadingAsync(await _script.NextAsync());
        Assert.Equal("open", Get(Assert.Single(Gaps), "status"));
        _time.Advance(TimeSpan.FromMinutes(1));
        await using var again = await StartAsync();
        await _log.UntilAsync(() => Gaps.Count == 2, "closed");
        Assert.Equal((Get(Gaps[0], "id"), "stopped"), (Get(Gaps[1], "id"), Get(Gaps[1], "reason")));
    }

    [Fact]
    public async Task A_lost_device_is_one_gap_and_one_bad_reading_per_tag_whatever_is_reported_how_often()
    {
        await using var worker = await StartAsync();
        var source = await _script.NextAsync();
        await OneReadingAsync(source, "a");
        var b = await OneReadingAsync(source, "b");
        _time.Advance(TimeSpan.FromSeconds(3));
        for (var i = 0; i < 5; i++) source.Context.Report(new("press1", null, PartState.Down, "modbus:timeout", "No answer from unit 1.", null));
        await _log.UntilAsync(() => Gaps.Count == 1 && Readings.Count == 4, "lost");
        Assert.Equal(("press1", "2026-11-20T08:00:00.000000Z", "modbus:timeout"), (Get(Gaps[0], "device"), Get(Gaps[0], "from"), Get(Gaps[0], "reason")));
        Assert.Equal(["a", "b"], Readings.Skip(2).Select(r => Get(r, "tag")).Order());
        Assert.All(Readings.Skip(2), r => Assert.Equal("bad", Get(r, "quality")));
        var device = Assert.Single(worker.Snapshot("press-line")!.Devices);
        Assert.Equal((PartState.Down, "modbus:timeout"), (device.State, device.Code));
        source.Put(new Reading(b, Value.Of(1f), default, _time.GetUtcNow().UtcDateTime));
        await _log.UntilAsync(() => Gaps.Count == 2, "back");
        Assert.Equal("closed", Get(Gaps[1], "status"));
        await _log.UntilAsync(() => _log.Texts("gateway.health").Count(t => t.Contains("\"device\":\"press1\",\"tag\":null", StringComparison.Ordinal)) >= 2, "health told");
    }

    [Fact]
    public async Task A_device_of_which_every_tag_is_bad_is_lost()
    {
        await using var worker = await StartAsync();
        var source = await _script.NextAsync();
        var a = await OneReadingAsync(source, "a");
        source.Put(Reading.Bad(a, "modbus:exception-2", _time.GetUtcNow().UtcDateTime));
        await _log.UntilAsync(() => Gaps.Count == 1, "gap");
        Assert.Equal(("press1", "modbus:exception-2"), (Get(Gaps[0], "device"), Get(Gaps[0], "reason")));
        Assert.Equal("a", Assert.Single(worker.Snapshot("press-line")!.FailingTags).Tag);
        source.Put(new Reading(a, Value.Of(1f), default, _time.GetUtcNow().UtcDateTime));
        await _log.UntilAsync(() => Gaps.Count == 2, "closed");
        Assert.Empty(worker.Snapshot("press-line")!.FailingTags);
        Assert.Equal(3, Readings.Count);
    }

    [Fact]
    public async Task That_a_tag_is_bad_is_one_record_until_its_status_changes_also_across_a_restart()
    {
        var bad = (Instance source, Tag tag, string status) => source.Put(Reading.Bad(tag, status, _time.GetUtcNow().UtcDateTime));
        var worker = await StartAsync();
        var source = await _script.NextAsync();
        var a = await OneReadingAsync(source, "a");
        for (var poll = 0; poll < 5; poll++) bad(source, a, "modbus:unreachable");
        bad(source, a, "modbus:exception-2");
        source.Put(new Record { Topic = "mark" });
        await _log.UntilAsync(() => _log.Records("mark").Count == 1, "all polls");
        Assert.Equal([null, "modbus:unreachable", "modbus:exception-2"], Readings.Select(r => r.TryGetProperty("status", out var s) ? s.GetString() : null));
        await worker.DisposeAsync();

        await using var again = await StartAsync();
        source = await _script.NextAsync();
        a = source.Context.Tag("press1", "a", DataType.Float32)!;
        bad(source, a, "modbus:exception-2");
        source.Put(new Reading(a, Value.Of(2f), default, _time.GetUtcNow().UtcDateTime));
        await _log.UntilAsync(() => Readings.Count >= 4, "good again");
        Assert.Equal("good", Get(Readings[3], "quality"));
    }

    [Fact]
    public async Task A_disabled_device_has_no_gap()
    {
        await using var worker = await StartAsync();
        var source = await _script.NextAsync();
        await OneReadingAsync(source);
        source.Context.Report(new("press1", null, PartState.Disabled, null, null, null));
        await OneReadingAsync(source, "other");
        Assert.Empty(Gaps);
        Assert.Equal(PartState.Disabled, worker.Snapshot("press-line")!.Devices[0].State);
    }

    [Fact]
    public async Task What_the_connector_alone_knows_is_in_the_append_with_its_data()
    {
        await using var worker = await StartAsync();
        var source = await _script.NextAsync();
        source.Put(new SourceBatch { Gaps = [new() { From = _time.GetUtcNow().UtcDateTime.AddMinutes(-1), To = _time.GetUtcNow().UtcDateTime, Reason = "sequence-gap", Device = "line1", Tags = ["speed"], Lost = 7 }] });
        await _log.UntilAsync(() => Gaps.Count == 1, "written");
        Assert.Equal("""{"connector":"press-line","device":"line1","tags":["speed"],"from":"2026-11-20T07:59:00.000000Z","to":"2026-11-20T08:00:00.000000Z","reason":"sequence-gap","lost":7,"status":"closed"}""",
            "{" + _log.Texts("gateway.gaps")[0].Split(",", 2)[1]);
    }

    [Fact]
    public async Task Health_is_told_on_change_only()
    {
        var failing = true;
        _script.Open = (_, _) => failing ? throw new IOException("away") : Task.CompletedTask;
        await using var worker = await StartAsync();
        for (var i = 1; i <= 3; i++)
        {
            await Gateway.UntilAsync(() => worker.Snapshot("press-line")!.Tasks[0] is { State: RunState.Retrying } t && t.Attempt == i, "attempt");
            if (i == 3) failing = false;
            _time.Advance(TimeSpan.FromSeconds(30));
        }
        var source = await _script.NextAsync();
        await Gateway.UntilAsync(() => worker.Snapshot("press-line")!.State == RunState.Running, "running");
        failing = true;
        source.Fault(new IOException("away"));
        List<string?> States() => [.. _log.Records("gateway.health").Where(r => Encoding.UTF8.GetString(r.Key!.Value.Span) == "press-line").Select(r => Get(JsonDocument.Parse(r.Value!.Value).RootElement, "state"))];
        await _log.UntilAsync(() => States() is [.., "running", "retrying"], "told again");
        Assert.Equal(["retrying", "running", "retrying"], States().Where(s => s != "connecting"));
    }

    [Fact]
    public async Task A_disabled_connector_has_no_gap_left()
    {
        var config = Gateway.Connector("press-line", _script);
        await using var worker = await Gateway.StartAsync(_log, Gateway.Config(config), _time);
        await OneReadingAsync(await _script.NextAsync());
        await worker.ApplyAsync(Gateway.Config(config with { ContentHash = "2", Common = config.Common with { Enabled = false } }), TestContext.Current.CancellationToken);
        Assert.Equal(["open", "closed"], Gaps.Select(g => Get(g, "status")));
        Assert.Empty(_log.Scan("connect.gaps"));
    }
}
