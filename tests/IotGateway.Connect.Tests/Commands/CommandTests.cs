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

/// <summary>What is checked before anything is sent.</summary>
public sealed class CommandTests : CommandBench
{
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
        Assert.Equal(("gateway:rest", "mes", 1L), (outcome.GetProperty("principal").GetString(), outcome.GetProperty("issuer").GetString(), outcome.GetProperty("sequence").GetInt64()));
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
}
