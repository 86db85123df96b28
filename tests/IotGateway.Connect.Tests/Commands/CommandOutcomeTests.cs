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

/// <summary>What becomes of a command that is sent: repeats, read-back, absence, crashes.</summary>
public sealed class CommandOutcomeTests : CommandBench
{
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
    public async Task Read_back_takes_a_reading_that_came_while_the_command_was_being_answered()
    {
        _rule = new() { ReadBack = new() { Within = TimeSpan.FromMilliseconds(100) } };
        _script.ReadNow = _ => throw new IOException("cannot be asked");
        _script.Execute = async (_, gate, _) =>
        {
            await gate.EnterAsync();
            await ReadingAsync("setpoint", Value.Of((ushort)60), DateTime.UtcNow.AddSeconds(1));
            return CommandResult.Done();
        };
        await StartAsync();
        Assert.Equal(("confirmed", null, true, true), Short(await SendAsync(Json("a", 60))));
    }

    [Fact]
    public async Task Read_back_does_not_take_a_reading_from_before_the_command()
    {
        _rule = new() { ReadBack = new() { Within = TimeSpan.FromMilliseconds(100) } };
        _script.ReadNow = _ => throw new IOException("cannot be asked");
        await StartAsync();
        await ReadingAsync("setpoint", Value.Of((ushort)60), DateTime.UtcNow.AddMinutes(-1));
        Assert.Equal(("mismatch", null, true, true), Short(await SendAsync(Json("a", 60))));
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
        unit.Put("connect.commands", "gateway:rest\0x"u8, "{"u8);
        await Connect.EventLog.EventLogExtensions.CommitAsync(_log, unit, CancellationToken.None);
        await StartAsync();
        Assert.NotNull(_worker.Commands.Off);
        await Assert.ThrowsAsync<InvalidOperationException>(() => SendAsync(Json("b")));
        Assert.Equal(1, Executed);
    }
}
