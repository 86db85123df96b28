using System.Text;
using System.Text.Json;
using IotGateway.Connect.Configs;
using IotGateway.Connect.Tasks;
using IotGateway.Connect.Tests.EventLog;
using IotGateway.Connect.Tests.Tasks;
using IotGateway.Sdk;
using IotGateway.Sdk.Commands;
using IotGateway.Sdk.Config;
using IotGateway.Sdk.Data;

namespace IotGateway.Connect.Tests.Commands;

public sealed class CommandTests : IAsyncDisposable
{
    readonly MemoryEventLog _log = new();
    readonly Script _script = new() { Roles = ConnectorRoles.Source | ConnectorRoles.Commands | ConnectorRoles.Readable };
    CommandsConfig _config = new();
    WriteRule _rule = new() { Min = 0, Max = 120 };
    Worker? _worker;
    Instance _device = null!;
    bool _synchronised = true;

    public async ValueTask DisposeAsync()
    {
        if (_worker is not null) await _worker.DisposeAsync();
    }

    async Task StartAsync(bool open = true)
    {
        _worker = await Gateway.StartAsync(_log, Loaded(), options: new() { InstallId = "test0000", ClockSynchronised = () => _synchronised });
        if (!open) return;
        _device = await _script.NextAsync();
        await Gateway.UntilAsync(() => _worker.Snapshot("press-line")!.State == RunState.Running, "running");
    }

    LoadedConfig Loaded()
    {
        var config = new FakeConfig { Tags = [new("press1", "setpoint", DataType.UInt16, null, _rule), new("press1", "mode", DataType.Int32, null, null), new("press2", "setpoint", DataType.UInt16, null, _rule)] };
        var loaded = Gateway.Config(Gateway.Connector("press-line", _script, new() { Connector = "fake", Retry = new() { Initial = TimeSpan.FromMilliseconds(20), Max = TimeSpan.FromMilliseconds(20) } }, config, hash: _rule.ToString()));
        return loaded with { Gateway = loaded.Gateway with { Commands = _config } };
    }

    static string Json(string id, object? value = null, string gateway = Gateway.Name, string device = "press1", string? tag = "setpoint", string extra = "", double ttl = 30, double age = 0)
    {
        var now = DateTimeOffset.UtcNow;
        return $$"""{"gateway":"{{gateway}}","id":"{{id}}","connector":"press-line","device":"{{device}}","tag":"{{tag}}","value":{{JsonSerializer.Serialize(value ?? 60)}},"issuer":"mes","issuedAt":"{{now.AddSeconds(-age):O}}","deadline":"{{now.AddSeconds(ttl - age):O}}"{{extra}}}""";
    }

    async Task<JsonElement> SendAsync(string json)
    {
        var outcome = await _worker!.Commands.SubmitAsync(Encoding.UTF8.GetBytes(json), TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        Assert.NotNull(outcome);
        return JsonDocument.Parse(outcome).RootElement;
    }

    async Task ReadingAsync(string tag, Value value, DateTime? at = null)
    {
        var t = _device.Context.Tag("press1", tag, value.Type)!;
        _device.Put(new Reading(t, value, default, at ?? DateTime.UtcNow));
        await _log.UntilAsync(() => _device.Context.TryGetLast(t, out var last) && last.Value == value, "last value");
    }

    static (string? Status, string? Check, bool Final, bool Sent) Short(JsonElement o)
        => (o.GetProperty("status").GetString(), o.GetProperty("check").GetString(), o.GetProperty("final").GetBoolean(), o.GetProperty("sent").GetBoolean());

    int Executed => _script.Noted().Count(c => c.StartsWith("execute", StringComparison.Ordinal));
    IReadOnlyList<JsonElement> Outcomes => [.. _log.Texts("gateway.outcomes").Select(t => JsonDocument.Parse(t).RootElement)];

    [Fact]
    public async Task A_command_reaches_the_device_in_its_tags_type()
    {
        Command? seen = null;
        _script.Execute = async (c, gate, _) =>
        {
            seen = c;
            Assert.Empty(_log.Scan("connect.commands"));
            Assert.True(await gate.EnterAsync());
            // The intent is on disk before the first byte.
            Assert.Single(_log.Scan("connect.commands"));
            return CommandResult.Done("modbus:ok");
        };
        await StartAsync();
        var outcome = await SendAsync(Json("a", 60));
        Assert.Equal(("done", null, true, true), Short(outcome));
        Assert.Equal("modbus:ok", outcome.GetProperty("code").GetString());
        Assert.Equal(60, outcome.GetProperty("requested").GetInt32());
        Assert.Equal(("anonymous", "mes", 1L), (outcome.GetProperty("principal").GetString(), outcome.GetProperty("issuer").GetString(), outcome.GetProperty("sequence").GetInt64()));
        Assert.Equal(Value.Of((ushort)60), seen!.Value);
        Assert.All(["issued", "received", "intent", "sent", "answered", "decided"], stage => Assert.NotNull(outcome.GetProperty("times").GetProperty(stage).GetString()));
    }

    public static TheoryData<string, string, string> Refusals => new()
    {
        { "allow-list", "mode", "1" },
        { "allow-list", "unknown", "1" },
        { "range", "setpoint", "121" },
        { "range", "setpoint", "120.0000001e1" },
        { "type", "setpoint", "-1" },
        { "type", "setpoint", "65536" },
        { "type", "setpoint", "1.5" },
        { "type", "setpoint", "\"60\"" },
        { "type", "setpoint", "true" },
        { "type", "setpoint", "null" },
    };

    [Theory, MemberData(nameof(Refusals))]
    public async Task What_is_not_allowed_is_refused_without_a_call(string check, string tag, string value)
    {
        await StartAsync();
        var outcome = await SendAsync(Json("a", tag: tag).Replace("\"value\":60", "\"value\":" + value, StringComparison.Ordinal));
        Assert.Equal(("refused", check == "range" && value.Contains('e', StringComparison.Ordinal) ? outcome.GetProperty("check").GetString() : check, true, false), Short(outcome));
        Assert.Equal(0, Executed);
    }

    [Theory]
    [InlineData("\"precondtion\":1", "parse")]
    [InlineData("\"id\":\"b\"", null)]
    [InlineData("\"dryRun\":\"yes\"", "parse")]
    [InlineData("\"method\":\"reset\"", "parse")]
    public async Task What_is_malformed_is_never_executed(string extra, string? check)
    {
        await StartAsync();
        await _log.ProduceAsync("gateway.commands", Json("a", extra: "," + extra));
        await _log.UntilAsync(() => _log.Records("gateway.outcomes").Count + _log.Records("gateway.dead-letters").Count == 1, "ended");
        if (check is not null) Assert.Equal(("refused", check, true, false), Short(Outcomes[0]));
        else Assert.Single(_log.Records("gateway.dead-letters")); // a name given twice is no JSON object anybody can agree on
        Assert.Equal(0, Executed);
    }

    [Theory]
    [InlineData("not JSON")]
    [InlineData("[]")]
    [InlineData("{}")]
    public async Task What_is_no_command_is_a_dead_letter_and_the_next_one_runs(string value)
    {
        await StartAsync();
        await _log.ProduceAsync("gateway.commands", value);
        Assert.Equal("done", (await SendAsync(Json("a"))).GetProperty("status").GetString());
        Assert.Equal([value], _log.Texts("gateway.dead-letters"));
        Assert.Single(Outcomes);
    }

    [Fact]
    public async Task Another_gateways_command_is_not_ours_whatever_it_says()
    {
        await StartAsync();
        await _log.ProduceAsync("gateway.commands", Json("a", gateway: "plant-south", extra: ",\"unknown\":1"));
        await SendAsync(Json("b"));
        Assert.Equal(["b"], Outcomes.Select(o => o.GetProperty("id").GetString()));
        Assert.Empty(_log.Records("gateway.dead-letters"));
    }

    [Fact]
    public async Task Late_is_expired()
    {
        await StartAsync();
        Assert.Equal(("expired", "deadline", true, false), Short(await SendAsync(Json("a", age: 40))));
        Assert.Equal(0, Executed);
    }

    [Fact]
    public async Task Too_long_a_life_is_refused()
    {
        await StartAsync();
        Assert.Equal(("refused", "ttl", true, false), Short(await SendAsync(Json("a", ttl: 61))));
        Assert.Equal(("refused", "ttl", true, false), Short(await SendAsync(Json("b", ttl: 30, age: -3600))));
        Assert.Equal(0, Executed);
    }

    [Fact]
    public async Task The_deadline_is_looked_at_again_at_the_gate()
    {
        _script.Execute = async (_, gate, _) =>
        {
            await Task.Delay(TimeSpan.FromMilliseconds(700), TestContext.Current.CancellationToken);
            return await gate.EnterAsync() ? CommandResult.Done() : CommandResult.NotSent;
        };
        await StartAsync();
        Assert.Equal(("expired", "deadline", true, false), Short(await SendAsync(Json("a", ttl: 0.5))));
        Assert.DoesNotContain(_log.Scan("connect.commands"), e => !Encoding.UTF8.GetString(e.Value.Span).Contains("\"sequence\":1", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_kill_switch_stops_everything_also_at_the_gate_and_after_a_restart()
    {
        _script.Execute = async (c, gate, _) =>
        {
            await _worker!.Commands.EngageKillAsync("operator", CancellationToken.None);
            return await gate.EnterAsync() ? CommandResult.Done() : CommandResult.NotSent;
        };
        await StartAsync();
        Assert.Equal(("refused", "kill-switch", true, false), Short(await SendAsync(Json("a"))));
        await _worker!.DisposeAsync();
        await StartAsync();
        Assert.True(_worker.Commands.Killed);
        Assert.Equal(("refused", "kill-switch", true, false), Short(await SendAsync(Json("b"))));
        Assert.Equal(1, Executed);
        await _worker.Commands.ReleaseKillAsync("admin", CancellationToken.None);
        _script.Execute = async (_, gate, _) => await gate.EnterAsync() ? CommandResult.Done() : CommandResult.NotSent;
        Assert.Equal(("done", null, true, true), Short(await SendAsync(Json("c"))));
        Assert.Equal(2, _log.Records("gateway.audit").Count);
    }

    [Fact]
    public async Task ReadOnly_refuses()
    {
        _config = new() { ReadOnly = true };
        await StartAsync();
        Assert.Equal(("refused", "read-only", true, false), Short(await SendAsync(Json("a"))));
    }

    [Fact]
    public async Task A_clock_that_was_not_synchronised_is_not_trusted()
    {
        _synchronised = false;
        await StartAsync();
        Assert.Equal(("refused", "clock-untrusted", true, false), Short(await SendAsync(Json("a"))));
        await _worker!.DisposeAsync();
        _config = new() { TrustClock = true };
        await StartAsync();
        Assert.Equal(("done", null, true, true), Short(await SendAsync(Json("b"))));
    }

    [Fact]
    public async Task A_clock_behind_the_newest_time_in_the_log_is_not_trusted()
    {
        var unit = new Connect.EventLog.EventUnit();
        var future = new byte[8];
        System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(future, DateTime.UtcNow.AddHours(1).Ticks);
        unit.Put("connect.alive", "press-line\0"u8, future);
        await Connect.EventLog.EventLogExtensions.CommitAsync(_log, unit, CancellationToken.None);
        await StartAsync();
        Assert.Equal(("refused", "clock-untrusted", true, false), Short(await SendAsync(Json("a"))));
        Assert.Equal(0, Executed);
    }

    [Fact]
    public async Task A_step_needs_a_last_value_and_stays_within_the_limit()
    {
        _rule = new() { Min = 0, Max = 120, MaxStep = 20 };
        await StartAsync();
        Assert.Equal(("refused", "step", true, false), Short(await SendAsync(Json("a", 60))));
        await ReadingAsync("setpoint", Value.Of((ushort)50));
        Assert.Equal(("refused", "step", true, false), Short(await SendAsync(Json("b", 71))));
        Assert.Equal(("done", null, true, true), Short(await SendAsync(Json("c", 70))));
    }

    [Fact]
    public async Task A_rate_is_kept()
    {
        _rule = new() { Rate = new(1, TimeSpan.FromMinutes(1)) };
        await StartAsync();
        Assert.Equal(("done", null, true, true), Short(await SendAsync(Json("a"))));
        Assert.Equal(("refused", "rate", true, false), Short(await SendAsync(Json("b"))));
        Assert.Equal(("done", null, true, true), Short(await SendAsync(Json("c", device: "press2"))));
    }

    [Fact]
    public async Task A_precondition_must_hold_and_be_young()
    {
        await StartAsync();
        const string condition = ",\"precondition\":{\"tag\":\"mode\",\"equals\":1,\"maxAge\":\"5s\"}";
        Assert.Equal(("refused", "precondition", true, false), Short(await SendAsync(Json("a", extra: condition))));
        await ReadingAsync("mode", Value.Of(2));
        Assert.Equal(("refused", "precondition", true, false), Short(await SendAsync(Json("b", extra: condition))));
        await ReadingAsync("mode", Value.Of(1), DateTime.UtcNow.AddSeconds(-6));
        Assert.Equal(("refused", "precondition", true, false), Short(await SendAsync(Json("c", extra: condition))));
        await ReadingAsync("mode", Value.Of(3));
        await ReadingAsync("mode", Value.Of(1));
        Assert.Equal(("done", null, true, true), Short(await SendAsync(Json("d", extra: condition))));
    }

    [Fact]
    public async Task A_dry_run_makes_every_check_and_sends_nothing()
    {
        await StartAsync();
        Assert.Equal(("done", null, true, false), Short(await SendAsync(Json("a", extra: ",\"dryRun\":true"))));
        Assert.Equal(("refused", "range", true, false), Short(await SendAsync(Json("b", 200, extra: ",\"dryRun\":true"))));
        Assert.Equal(0, Executed);
    }

    [Fact]
    public async Task A_repeat_is_told_where_the_first_outcome_is_and_not_executed()
    {
        await StartAsync();
        var json = Json("a");
        await SendAsync(json);
        var again = await SendAsync(json.Replace("{\"gateway\"", "{ \"gateway\"", StringComparison.Ordinal));
        Assert.Equal(("duplicate", null, false, false), Short(again));
        Assert.Equal(1, again.GetProperty("first").GetProperty("sequence").GetInt64());
        Assert.Equal(("refused", "id-reused", false, false), Short(await SendAsync(json.Replace("60", "61", StringComparison.Ordinal))));
        Assert.Equal(1, Executed);
        await _worker!.DisposeAsync();
        await StartAsync();
        Assert.Equal("duplicate", (await SendAsync(json)).GetProperty("status").GetString());
        Assert.Equal(1, Executed);
        Assert.Single(Outcomes, o => o.GetProperty("final").GetBoolean());
    }

    [Fact]
    public async Task A_repeat_of_one_that_is_running_is_pending()
    {
        var go = new TaskCompletionSource();
        _script.Execute = async (_, gate, _) => { await gate.EnterAsync(); await go.Task; return CommandResult.Done(); };
        await StartAsync();
        var json = Json("a");
        await _log.ProduceAsync("gateway.commands", json);
        await Gateway.UntilAsync(() => Executed == 1, "executing");
        var again = await SendAsync(json);
        Assert.Equal(("duplicate", null, false, false), Short(again));
        Assert.True(again.GetProperty("first").GetProperty("pending").GetBoolean());
        go.SetResult();
        await _log.UntilAsync(() => Outcomes.Count == 2, "both");
        Assert.Single(Outcomes, o => o.GetProperty("final").GetBoolean());
    }

    [Fact]
    public async Task Serial_per_device_and_side_by_side_across_devices()
    {
        var (running, most) = (new Dictionary<string, int>(), new Dictionary<string, int>());
        var both = new TaskCompletionSource();
        _script.Execute = async (c, gate, _) =>
        {
            await gate.EnterAsync();
            lock (running)
            {
                running[c.Device] = running.GetValueOrDefault(c.Device) + 1;
                most[c.Device] = Math.Max(most.GetValueOrDefault(c.Device), running[c.Device]);
                if (running.Values.Count(v => v > 0) == 2) both.TrySetResult();
            }
            await both.Task.WaitAsync(TimeSpan.FromSeconds(10), CancellationToken.None);
            lock (running) running[c.Device]--;
            return CommandResult.Done();
        };
        await StartAsync();
        await _log.ProduceAsync("gateway.commands", Json("a"), Json("b"), Json("c", device: "press2"), Json("d", device: "press2"));
        await _log.UntilAsync(() => Outcomes.Count == 4, "all done");
        Assert.All(most.Values, m => Assert.Equal(1, m));
        Assert.All(Outcomes, o => Assert.Equal("done", o.GetProperty("status").GetString()));
    }

    [Theory]
    [InlineData("throw-before", "failed", false)]
    [InlineData("throw-after", "unknown", true)]
    [InlineData("failed", "failed", true)]
    [InlineData("unknown", "unknown", true)]
    [InlineData("not-sent", "failed", false)]
    [InlineData("no-gate", "unknown", false)]
    public async Task What_the_device_does_decides_the_outcome(string what, string status, bool sent)
    {
        _script.Execute = async (_, gate, _) =>
        {
            if (what == "throw-before") throw new IOException("cable cut");
            if (what == "not-sent") return CommandResult.NotSent;
            if (what == "no-gate") return CommandResult.Done();
            Assert.True(await gate.EnterAsync());
            if (what == "throw-after") throw new IOException("cable cut");
            return what == "failed" ? CommandResult.Failed("modbus:exception-2", "Illegal data address.") : CommandResult.Unknown("No answer.");
        };
        await StartAsync();
        Assert.Equal((status, null, true, sent), Short(await SendAsync(Json("a"))));
        Assert.Single(Outcomes);
    }

    [Fact]
    public async Task Read_back_confirms_within_tolerance()
    {
        _rule = new() { ReadBack = new() { Tolerance = 0.5m, Within = TimeSpan.FromSeconds(5) } };
        var reads = 0;
        _script.ReadNow = tags => Task.FromResult<IReadOnlyList<Reading>>([new Reading(tags[0], Value.Of(++reads < 3 ? 55f : 60.4f), default, DateTime.UtcNow)]);
        await StartAsync();
        var outcome = await SendAsync(Json("a", 60));
        Assert.Equal(("confirmed", null, true, true), Short(outcome));
        Assert.Equal(60.4, outcome.GetProperty("observed").GetDouble(), 3);
    }

    [Fact]
    public async Task Read_back_takes_the_tags_own_readings_too()
    {
        _rule = new() { ReadBack = new() { Tag = "setpointActual", Within = TimeSpan.FromSeconds(5) } };
        _script.Execute = async (_, gate, _) =>
        {
            await gate.EnterAsync();
            _device.Put(new Reading(_device.Context.Tag("press1", "setpointActual", DataType.UInt16)!, Value.Of((ushort)60), default, DateTime.UtcNow) );
            for (var i = 0; i < 20; i++) _device.Put(new Reading(_device.Context.Tag("press1", "setpointActual", DataType.UInt16)!, Value.Of((ushort)60), default, DateTime.UtcNow.AddMilliseconds(i)));
            return CommandResult.Done();
        };
        await StartAsync();
        var sending = SendAsync(Json("a", 60));
        await Gateway.UntilAsync(() => Executed == 1, "executed");
        while (!sending.IsCompleted)
        {
            _device.Put(new Reading(_device.Context.Tag("press1", "setpointActual", DataType.UInt16)!, Value.Of((ushort)60), default, DateTime.UtcNow));
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
        Assert.Equal("confirmed", (await sending).GetProperty("status").GetString());
    }

    [Fact]
    public async Task Another_value_read_back_is_a_mismatch()
    {
        _rule = new() { ReadBack = new() { Within = TimeSpan.FromMilliseconds(250) } };
        _script.ReadNow = tags => Task.FromResult<IReadOnlyList<Reading>>([new Reading(tags[0], Value.Of((ushort)55), default, DateTime.UtcNow)]);
        await StartAsync();
        var outcome = await SendAsync(Json("a", 60));
        Assert.Equal(("mismatch", null, true, true), Short(outcome));
        Assert.Equal(55, outcome.GetProperty("observed").GetInt32());
    }

    [Fact]
    public async Task While_the_device_is_away_it_is_refused()
    {
        _script.Open = (_, _) => throw new IOException("away");
        await StartAsync(open: false);
        Assert.Equal(("refused", "offline", true, false), Short(await SendAsync(Json("a"))));
    }

    [Fact]
    public async Task Where_the_tag_says_wait_the_newest_waits_for_the_device()
    {
        _rule = new() { WhenOffline = WhenOffline.Wait };
        var away = true;
        _script.Open = (_, _) => away ? throw new IOException("away") : Task.CompletedTask;
        await StartAsync(open: false);
        await _log.ProduceAsync("gateway.commands", Json("a", 1), Json("b", 2));
        await _log.UntilAsync(() => Outcomes.Count == 1, "the older one ended");
        Assert.Equal(("refused", "superseded", true, false), Short(Outcomes[0]));
        away = false;
        await _log.UntilAsync(() => Outcomes.Count == 2, "the newer one ran");
        Assert.Equal(("done", null, true, true), Short(Outcomes[1]));
        Assert.Equal(["execute b"], _script.Noted().Where(c => c.StartsWith("execute", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task What_was_written_before_the_start_is_expired()
    {
        await _log.ProduceAsync("gateway.commands", Json("a"));
        await StartAsync();
        await _log.UntilAsync(() => Outcomes.Count == 1, "ended");
        Assert.Equal(("expired", "restart", true, false), Short(Outcomes[0]));
        Assert.Equal(0, Executed);
    }

    [Fact]
    public async Task A_crash_after_the_intent_is_unknown_with_what_is_there_and_never_sent_again()
    {
        _rule = new() { ReadBack = new() { Within = TimeSpan.FromMilliseconds(200) } };
        var forever = new TaskCompletionSource();
        _script.Execute = async (_, gate, _) => { await gate.EnterAsync(); await forever.Task; return CommandResult.Done(); };
        await StartAsync();
        var json = Json("a");
        await _log.ProduceAsync("gateway.commands", json);
        await Gateway.UntilAsync(() => _log.Scan("connect.commands").Count == 1, "intent");
        await _worker!.StopAsync(); // the outcome never comes: as good as a crash
        Assert.Empty(Outcomes);
        _script.ReadNow = tags => Task.FromResult<IReadOnlyList<Reading>>([new Reading(tags[0], Value.Of((ushort)60), default, DateTime.UtcNow)]);
        await StartAsync();
        await _log.UntilAsync(() => Outcomes.Count == 1, "unknown");
        Assert.Equal(("unknown", null, true, true), Short(Outcomes[0]));
        Assert.Equal(60, Outcomes[0].GetProperty("observed").GetInt32());
        Assert.Equal("duplicate", (await SendAsync(json)).GetProperty("status").GetString());
        Assert.Equal(1, Executed);
    }

    [Theory]
    [InlineData("before-gate")]
    [InlineData("after-gate")]
    [InlineData("after-outcome")]
    public async Task A_stop_at_any_stage_leaves_exactly_one_final_outcome(string stage)
    {
        var forever = new TaskCompletionSource();
        _script.Execute = async (_, gate, ct) =>
        {
            if (stage == "before-gate") await forever.Task.WaitAsync(ct);
            if (!await gate.EnterAsync()) return CommandResult.NotSent;
            if (stage == "after-gate") await forever.Task;
            return CommandResult.Done();
        };
        await StartAsync();
        await _log.ProduceAsync("gateway.commands", Json("a"), Json("b", device: "press2"));
        await Gateway.UntilAsync(() => Executed == 2 && (stage != "after-outcome" || Outcomes.Count == 2) && (stage != "after-gate" || _log.Scan("connect.commands").Count == 2), "at the stage");
        await _worker!.StopAsync();
        for (var i = 0; i < 2; i++)
        {
            await StartAsync();
            await _log.UntilAsync(() => Outcomes.Count == 2 + i, "ended");
            await SendAsync(Json("later" + i, device: "press9"));
            await _worker!.StopAsync();
        }
        var wanted = stage switch { "before-gate" => "expired", "after-gate" => "unknown", _ => "done" };
        var outcomes = Outcomes.Where(o => o.GetProperty("id").GetString() is "a" or "b").ToList();
        Assert.Equal(["a", "b"], outcomes.Select(o => o.GetProperty("id").GetString()).Order());
        Assert.All(outcomes, o => Assert.Equal(wanted, o.GetProperty("status").GetString()));
        Assert.Equal(2, Executed);
    }

    [Fact]
    public async Task A_malformed_repeat_of_one_that_is_running_is_not_final()
    {
        var go = new TaskCompletionSource();
        _script.Execute = async (_, gate, _) => { await go.Task; return await gate.EnterAsync() ? CommandResult.Done() : CommandResult.NotSent; };
        await StartAsync();
        await _log.ProduceAsync("gateway.commands", Json("a"), Json("a", extra: ",\"misspelt\":1"));
        await _log.UntilAsync(() => Outcomes.Count == 1, "the malformed one ended");
        Assert.Equal(("refused", "parse", false, false), Short(Outcomes[0]));
        go.SetResult();
        await _log.UntilAsync(() => Outcomes.Count == 2, "the first one ended");
        Assert.Equal(("done", null, true, true), Short(Outcomes[1]));
    }

    [Fact]
    public async Task A_dry_run_neither_counts_against_the_rate_nor_takes_the_place_of_a_waiting_one()
    {
        _rule = new() { Rate = new(1, TimeSpan.FromHours(1)), WhenOffline = WhenOffline.Wait };
        var away = true;
        _script.Open = (_, _) => away ? throw new IOException("away") : Task.CompletedTask;
        await StartAsync(open: false);
        await _log.ProduceAsync("gateway.commands", Json("real"), Json("dry", extra: ",\"dryRun\":true"));
        await SendAsync(Json("other", device: "press9"));
        away = false;
        await _log.UntilAsync(() => Outcomes.Count == 3, "all ended");
        Assert.Equal(["real:done", "dry:refused rate"], Outcomes.Skip(1).Select(o => $"{o.GetProperty("id")}:{o.GetProperty("status")} {o.GetProperty("check")}".Trim()));
    }

    [Fact]
    public async Task Dry_runs_leave_the_rate_to_real_ones()
    {
        _rule = new() { Rate = new(1, TimeSpan.FromHours(1)) };
        await StartAsync();
        Assert.Equal("done", (await SendAsync(Json("dry", extra: ",\"dryRun\":true"))).GetProperty("status").GetString());
        Assert.Equal("done", (await SendAsync(Json("a"))).GetProperty("status").GetString());
        Assert.Equal(1, Executed);
    }

    [Fact]
    public async Task A_limit_lowered_while_a_command_waits_holds_for_it()
    {
        _rule = new() { WhenOffline = WhenOffline.Wait, Max = 120 };
        var away = true;
        _script.Open = (_, _) => away ? throw new IOException("away") : Task.CompletedTask;
        await StartAsync(open: false);
        await _log.ProduceAsync("gateway.commands", Json("high", 100), Json("low", 10, device: "press2"));
        await SendAsync(Json("other", device: "press9"));
        _rule = _rule with { Max = 50 };
        await _worker!.ApplyAsync(Loaded(), TestContext.Current.CancellationToken);
        away = false;
        await _log.UntilAsync(() => Outcomes.Count == 3, "both ended");
        Assert.Equal(("refused", "range", true, false), Short(Outcomes.Single(o => o.GetProperty("id").GetString() == "high")));
        Assert.Equal(("done", null, true, true), Short(Outcomes.Single(o => o.GetProperty("id").GetString() == "low")));
    }

    [Fact]
    public async Task Outcomes_are_a_chain_without_holes()
    {
        await StartAsync();
        await _log.ProduceAsync("gateway.commands", [.. Enumerable.Range(0, 20).Select(i => Json("c" + i, i, device: i % 2 == 0 ? "press1" : "press2"))]);
        await _log.UntilAsync(() => Outcomes.Count == 20, "all");
        var previous = "";
        foreach (var (record, i) in _log.Records("gateway.outcomes").Select((r, i) => (r, i)))
        {
            var outcome = JsonDocument.Parse(record.Value!.Value).RootElement;
            Assert.Equal(i + 1, outcome.GetProperty("sequence").GetInt64());
            Assert.Equal(previous, outcome.GetProperty("previous").GetString());
            previous = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(record.Value.Value.Span));
            Assert.Equal(previous, Encoding.UTF8.GetString(record.Headers.Single(h => h.Name == "hash").Value!.Value.Span));
        }
    }

    [Fact]
    public async Task A_damaged_memory_keeps_commands_off()
    {
        await StartAsync();
        await SendAsync(Json("a"));
        await _worker!.DisposeAsync();
        var unit = new Connect.EventLog.EventUnit();
        unit.Put("connect.commands", "anonymous\0x"u8, "{"u8);
        await Connect.EventLog.EventLogExtensions.CommitAsync(_log, unit, CancellationToken.None);
        await StartAsync();
        Assert.NotNull(_worker.Commands.Off);
        await Assert.ThrowsAsync<InvalidOperationException>(() => SendAsync(Json("b")));
        Assert.Equal(1, Executed);
    }
}
