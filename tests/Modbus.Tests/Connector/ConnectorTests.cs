using IotGateway.Connectors.Modbus;
using IotGateway.Connectors.Modbus.Config;
using IotGateway.Connectors.Modbus.Protocol;
using IotGateway.Connectors.Modbus.Values;
using IotGateway.Sdk;
using IotGateway.Sdk.Commands;
using IotGateway.Sdk.Config;
using IotGateway.Sdk.Data;
using IotGateway.Sdk.Health;
using IotGateway.Testing;
using Modbus.Tests.Support;

namespace Modbus.Tests.Connector;

public sealed class ConnectorTests
{
    static readonly TimeSpan Short = TimeSpan.FromMilliseconds(300);

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    static TagConfig Tag(string name, string address, WriteRule? write = null) => new() { Name = name, Address = address, Write = write };

    static ModbusConfig Config(string endpoint, params DeviceConfig[] devices) => new()
    {
        Endpoint = new(endpoint),
        Every = TimeSpan.FromMilliseconds(50),
        Timeout = TimeSpan.FromSeconds(10),
        Devices = devices,
    };

    static DeviceConfig Device(string name, int unit, params TagConfig[] tags) => new() { Name = name, UnitId = unit, Tags = tags };

    [Fact]
    public async Task A_refused_address_is_quarantined_and_all_others_go_on()
    {
        await using var server = new ScriptedServer();
        var illegal = true;
        server.Script = async call =>
        {
            // Registers 100 to 120, of which 107 does not exist, nor anything between 110 and 114 (nobody asked for).
            var (from, to) = (call.Request.Address, call.Request.Address + call.Request.Quantity);
            if (!(Volatile.Read(ref illegal) && from <= 107 && to > 107) && !(from < 115 && to > 110)) return false;
            await call.SendAsync(call.Exception(2));
            return true;
        };
        TagConfig[] tags = [.. new[] { 100, 101, 105, 106, 107, 108, 109, 115, 120 }.Select(a => Tag("r" + a, "holding:" + a))];
        await using var running = await Running.StartAsync(Config(server.Endpoint, Device("plc", 1, tags)));
        await running.UntilAsync("plc", "r107", r => r.Status == "modbus:exception-2");
        foreach (var tag in tags.Where(t => t.Name != "r107"))
            Assert.Equal(int.Parse(tag.Name[1..]), (await running.UntilAsync("plc", tag.Name, r => r.Quality == Quality.Good)).Value.AsInt64);
        var health = running.Health("plc", "r107")!.Value;
        Assert.Equal((PartState.Quarantined, "modbus:exception-2"), (health.State, health.Code));
        Assert.Equal(PartState.Ok, running.Health("plc")!.Value.State);

        // Settled: no tag but 107 ever went bad, and polling is back to few requests.
        Assert.DoesNotContain(running.Store.Readings, r => r.Quality == Quality.Bad && r.Tag.Name != "r107");
        Assert.Single(running.Of("plc", "r107"));
        var before = server.Seen.Count;
        var count = running.Of("plc", "r100").Length;
        await running.UntilAsync(() => running.Of("plc", "r100").Length >= count + 5, "five more polls");
        Assert.DoesNotContain(server.Seen.Skip(before), r => r.Address <= 107 && r.Address + r.Quantity > 107);
    }

    [Fact]
    public async Task A_quarantined_tag_that_works_again_is_packed_with_the_others()
    {
        await using var server = new ScriptedServer();
        var time = new ManualTime();
        var illegal = true;
        server.Script = async call =>
        {
            if (!Volatile.Read(ref illegal) || call.Request.Address > 2 || call.Request.Address + call.Request.Quantity <= 2) return false;
            await call.SendAsync(call.Exception(2));
            return true;
        };
        var context = new FakeContext(new DurableStore(), time: time);
        await using var running = await Running.StartAsync(Config(server.Endpoint, Device("plc", 1, Tag("a", "holding:1"), Tag("b", "holding:2"), Tag("c", "holding:3"))), context);
        await running.UntilAsync("plc", "b", r => r.Quality == Quality.Bad);
        await running.UntilAsync("plc", "c", r => r.Quality == Quality.Good);
        Volatile.Write(ref illegal, false);
        time.Advance(TimeSpan.FromSeconds(11));
        await running.UntilAsync("plc", "b", r => r.Quality == Quality.Good);
        Assert.Equal(PartState.Ok, running.Health("plc", "b")!.Value.State);
        await running.UntilAsync(() => { time.Advance(TimeSpan.FromMilliseconds(50)); return server.Seen.Any(r => r.Address == 1 && r.Quantity == 3 && r.Unit == 1) && server.Seen.Last() is { Address: 1, Quantity: 3 }; }, "one request for all");
    }

    [Fact]
    public async Task A_dead_unit_is_probed_and_does_not_delay_the_others()
    {
        await using var server = new ScriptedServer();
        var dead = true;
        server.Script = call => Task.FromResult(Volatile.Read(ref dead) && call.Unit == 2);
        await using var running = await Running.StartAsync(Config(server.Endpoint,
            Device("alive", 1, Tag("x", "holding:5")), Device("dead", 2, Tag("x", "holding:5"), Tag("y", "input:500"))) with { Timeout = Short });
        await running.UntilAsync(() => running.Health("dead")?.State == PartState.Down, "down");
        Assert.Equal("modbus:timeout", running.Health("dead")!.Value.Code);
        // The breaker is open: fifty polls of the living while the dead one costs at most a probe or two.
        var (seen, polls) = (server.Seen.Count(r => r.Unit == 2), running.Of("alive", "x").Length);
        await running.UntilAsync(() => running.Of("alive", "x").Length >= polls + 50, "fifty polls");
        Assert.InRange(server.Seen.Count(r => r.Unit == 2) - seen, 0, 4);
        Assert.Equal(["modbus:timeout"], running.Of("dead", "x").Select(r => r.Status));
        Assert.Equal(["modbus:timeout"], running.Of("dead", "y").Select(r => r.Status));

        Volatile.Write(ref dead, false);
        await running.UntilAsync("dead", "y", r => r.Quality == Quality.Good);
        Assert.Equal(PartState.Ok, running.Health("dead")!.Value.State);
    }

    [Fact]
    public async Task A_dead_unit_among_twenty_with_two_thousand_tags_delays_neither_polls_nor_commands()
    {
        await using var server = new ScriptedServer();
        server.Script = call => Task.FromResult(call.Unit == 7);
        var setpoint = new TagConfig { Name = "setpoint", Address = "holding:0", Write = new() };
        DeviceConfig[] devices = [.. Enumerable.Range(1, 20).Select(unit => Device("u" + unit, unit, [setpoint, .. Enumerable.Range(1, 99).Select(i => Tag("t" + i, "holding:" + 2 * i))]))];
        await using var running = await Running.StartAsync(Config(server.Endpoint, devices) with { Every = TimeSpan.FromMilliseconds(500), Timeout = Short });
        await running.UntilAsync(() => running.Health("u7")?.State == PartState.Down, "down");

        var slowest = TimeSpan.Zero;
        for (var i = 0; i < 40; i++)
        {
            var watch = System.Diagnostics.Stopwatch.StartNew();
            Assert.Equal(CommandResultKind.Done, (await running.WriteAsync("u" + (i % 2 == 0 ? 3 : 20), "setpoint", Value.Of((ushort)i))).Kind);
            if (watch.Elapsed > slowest) slowest = watch.Elapsed;
        }
        // At worst a probe of the dead unit is on its way.
        Assert.InRange(slowest.TotalSeconds, 0, Short.TotalSeconds + 1);

        // From here on, with the dead unit known to be dead; each count is of one moment, for polls go on.
        var before = Polls();
        await running.UntilAsync(() => Polls().Zip(before, (now, then) => now - then).All(n => n >= 10), "ten polls of all the living", 30);
        var polls = Polls().Zip(before, (now, then) => now - then).ToList();
        Assert.InRange(polls.Max() - polls.Min(), 0, 2);
        Assert.All(devices.Where(d => d.UnitId != 7), d => Assert.All(running.Of(d.Name, "t42"), r => Assert.Equal(84, r.Value.AsInt64)));

        List<int> Polls()
        {
            var seen = running.Store.Readings.Where(r => r.Tag.Name == "t1").CountBy(r => r.Tag.Device).ToDictionary();
            return [.. devices.Where(d => d.UnitId != 7).Select(d => seen.GetValueOrDefault(d.Name))];
        }
    }

    [Fact]
    public async Task A_dead_endpoint_does_not_delay_the_others_and_opening_succeeds()
    {
        var gone = new ScriptedServer();
        await gone.StopAsync();
        await using var server = new ScriptedServer();
        var config = Config(server.Endpoint, Device("alive", 1, Tag("x", "holding:5")), Device("gone", 1, Tag("x", "holding:5")) with { Endpoint = new(gone.Endpoint) });
        await using var running = await Running.StartAsync(config);
        await running.UntilAsync("gone", "x", r => r.Status == "modbus:unreachable");
        await running.UntilAsync(() => running.Of("alive", "x").Length > 20, "twenty polls");
        Assert.Equal(PartState.Down, running.Health("gone")!.Value.State);
        Assert.Contains("connection refused", running.Health("gone")!.Value.Reason, StringComparison.Ordinal);
        gone.Restart();
        await running.UntilAsync("gone", "x", r => r.Quality == Quality.Good, seconds: 5);
        await gone.DisposeAsync();
    }

    [Fact]
    public async Task All_endpoints_down_is_no_fault_but_a_probe_says_so()
    {
        var gone = new ScriptedServer();
        await gone.DisposeAsync();
        var config = Config(gone.Endpoint, Device("gone", 1, Tag("x", "holding:5")));
        await using (var running = await Running.StartAsync(config))
            await running.UntilAsync(() => running.Health("gone")?.State == PartState.Down, "down");
        await using var probe = new ModbusFactory().Create(config, new FakeContext(new DurableStore()));
        var error = await Assert.ThrowsAnyAsync<Exception>(() => probe.OpenAsync(OpenMode.Probe, Ct).AsTask());
        Assert.Contains($"127.0.0.1:{gone.Port} can not be reached", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_dropped_idle_connection_costs_no_reading()
    {
        await using var server = new ScriptedServer();
        await using var running = await Running.StartAsync(Config(server.Endpoint, Device("plc", 1, Tag("x", "holding:5"))));
        await running.UntilAsync("plc", "x", r => r.Quality == Quality.Good);
        for (var i = 0; i < 5; i++)
        {
            var count = running.Of("plc", "x").Length;
            server.DropClients();
            await running.UntilAsync(() => running.Of("plc", "x").Length > count + 2, "more polls");
        }
        Assert.InRange(server.Accepted, 6, 40);
        Assert.DoesNotContain(running.Store.Readings, r => r.Quality == Quality.Bad);
    }

    [Fact]
    public async Task Every_poll_is_published_unless_a_deadband_says_otherwise()
    {
        await using var server = new ScriptedServer();
        var config = Config(server.Endpoint, Device("plc", 1, Tag("every", "holding:5"), Tag("change", "holding:5") with { Deadband = 0 }, Tag("wide", "holding:5") with { Deadband = 10 }));
        await using var running = await Running.StartAsync(config with { Refresh = TimeSpan.Zero });
        await running.UntilAsync(() => running.Of("plc", "every").Length >= 5, "polls");
        server.Written[(1, 5)] = 15;
        await running.UntilAsync("plc", "every", r => r.Value.AsInt64 == 15);
        server.Written[(1, 5)] = 16;
        await running.UntilAsync("plc", "wide", r => r.Value.AsInt64 == 16);
        Assert.Equal([5, 15, 16], running.Of("plc", "change").Select(r => r.Value.AsInt64));
        Assert.Equal([5, 16], running.Of("plc", "wide").Select(r => r.Value.AsInt64));
    }

    [Fact]
    public async Task A_quiet_tag_is_refreshed()
    {
        await using var server = new ScriptedServer();
        var config = Config(server.Endpoint, Device("plc", 1, Tag("x", "holding:5") with { Deadband = 0 })) with { Refresh = TimeSpan.FromMilliseconds(300) };
        await using var running = await Running.StartAsync(config);
        await running.UntilAsync(() => running.Of("plc", "x").Length >= 3, "refreshes");
        var times = running.Of("plc", "x").Select(r => r.GatewayTime).ToArray();
        Assert.InRange(times[2] - times[0], TimeSpan.FromMilliseconds(300), TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task The_schedule_does_not_drift_and_skips_what_can_not_be_kept()
    {
        await using var server = new ScriptedServer();
        var time = new ManualTime();
        var hold = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        hold.SetResult();
        server.Script = async _ => { await Volatile.Read(ref hold).Task; return false; };
        var context = new FakeContext(new DurableStore(), time: time);
        await using var running = await Running.StartAsync(
            Config(server.Endpoint, Device("plc", 1, Tag("x", "holding:5"))) with { Every = TimeSpan.FromSeconds(1), Timeout = TimeSpan.FromMinutes(1) }, context);
        var start = time.GetUtcNow().UtcDateTime;
        await running.UntilAsync(() => running.Of("plc", "x").Length == 1, "the first poll");
        for (var i = 1; i <= 5; i++)
        {
            time.Advance(TimeSpan.FromMilliseconds(999));
            Assert.Equal(i, running.Of("plc", "x").Length);
            time.Advance(TimeSpan.FromMilliseconds(1));
            await running.UntilAsync(() => running.Of("plc", "x").Length == i + 1, "poll " + i);
        }
        Assert.Equal(Enumerable.Range(0, 6).Select(i => start.AddSeconds(i)), running.Of("plc", "x").Select(r => r.GatewayTime));

        // One answer takes 3.5 periods: two polls are left out, and the next is on the grid again.
        Volatile.Write(ref hold, new(TaskCreationOptions.RunContinuationsAsynchronously));
        time.Advance(TimeSpan.FromSeconds(1));
        await running.UntilAsync(() => server.Seen.Count == 7, "the slow poll");
        time.Advance(TimeSpan.FromSeconds(3.5));
        hold.SetResult();
        await running.UntilAsync(() => running.Of("plc", "x").Length == 8, "the slow poll's answer, and the poll it delayed");
        time.Advance(TimeSpan.FromSeconds(0.5));
        await running.UntilAsync(() => running.Of("plc", "x").Length == 9, "a poll on the grid");
        Assert.Equal(start.AddSeconds(10), running.Of("plc", "x")[^1].GatewayTime);
        Assert.Single(running.Context.Log.Entries, e => e.Text.Contains("can not be kept up", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Commands_use_the_function_that_fits()
    {
        await using var server = new ScriptedServer();
        var rule = new WriteRule();
        TagConfig[] tags =
        [
            Tag("coil", "coil:3", rule), Tag("word", "holding:10", rule), Tag("bit", "holding:20.3", rule),
            Tag("float", "holding:30", rule) with { Type = RegisterType.Float32, Order = "CDAB" }, Tag("scaled", "holding:40", rule) with { Scale = 0.1m },
        ];
        await using var running = await Running.StartAsync(Config(server.Endpoint,
            Device("plc", 1, tags) with { Every = TimeSpan.FromHours(1) }, Device("old", 2, tags) with { MultipleWrites = true, Every = TimeSpan.FromHours(1) }));
        foreach (var device in (string[])["plc", "old"])
        {
            Assert.Equal(CommandResultKind.Done, (await running.WriteAsync(device, "coil", Value.Of(true))).Kind);
            Assert.Equal("modbus:ok", (await running.WriteAsync(device, "word", Value.Of(77))).Code);
            Assert.Equal(CommandResultKind.Done, (await running.WriteAsync(device, "bit", Value.Of(true))).Kind);
            Assert.Equal(CommandResultKind.Done, (await running.WriteAsync(device, "float", Value.Of(21.1))).Kind);
            Assert.Equal(CommandResultKind.Done, (await running.WriteAsync(device, "scaled", Value.Of(60.5))).Kind);
        }
        Assert.Equal([5, 6, 22, 16, 6, 15, 16, 22, 16, 16], server.Seen.Where(r => !r.IsRead).Select(r => (int)r.Function));
        Assert.Equal(77, server.Written[(1, 10)]);
        Assert.Equal(20 | 8, server.Written[(1, 20)]);
        Assert.Equal((0xCCCD, 0x41A8), (server.Written[(1, 30)], server.Written[(1, 31)]));
        Assert.Equal(605, server.Written[(1, 40)]);
        var fresh = await running.Connector.ReadNowAsync([running.Tag("plc", "scaled"), running.Tag("plc", "bit"), running.Tag("plc", "float")], Ct);
        Assert.Equal(["60.5", "true", "21.1"], fresh.Select(r => r.Value.ToString()));
    }

    [Theory]
    [InlineData(1, CommandResultKind.Failed), InlineData(2, CommandResultKind.Failed), InlineData(4, CommandResultKind.Failed)]
    [InlineData(5, CommandResultKind.Unknown), InlineData(6, CommandResultKind.Failed), InlineData(11, CommandResultKind.Unknown)]
    public async Task A_refusal_is_told_from_an_open_question(int code, CommandResultKind kind)
    {
        await using var server = new ScriptedServer();
        server.Script = async call =>
        {
            if (call.Request.IsRead) return false;
            await call.SendAsync(call.Exception(code));
            return true;
        };
        await using var running = await Running.StartAsync(Config(server.Endpoint, Device("plc", 1, Tag("x", "holding:5", new()))));
        var result = await running.WriteAsync("plc", "x", Value.Of(1));
        Assert.Equal((kind, "modbus:exception-" + code), (result.Kind, result.Code));
    }

    [Fact]
    public async Task What_is_sent_and_not_answered_is_unknown_and_never_sent_again()
    {
        await using var server = new ScriptedServer();
        var drop = false;
        server.Script = call =>
        {
            if (call.Request.IsRead) return Task.FromResult(false);
            if (drop) call.Client.Close();
            return Task.FromResult(true);
        };
        await using var running = await Running.StartAsync(Config(server.Endpoint, Device("plc", 1, Tag("x", "holding:5", new()))) with { Timeout = Short });
        Assert.Equal(CommandResultKind.Unknown, (await running.WriteAsync("plc", "x", Value.Of(1))).Kind);
        drop = true;
        Assert.Equal(CommandResultKind.Unknown, (await running.WriteAsync("plc", "x", Value.Of(2))).Kind);
        Assert.Equal(2, server.Seen.Count(r => !r.IsRead));
    }

    [Fact]
    public async Task Nothing_is_sent_when_the_gate_says_no_or_the_value_does_not_fit()
    {
        await using var server = new ScriptedServer();
        await using var running = await Running.StartAsync(Config(server.Endpoint, Device("plc", 1, Tag("x", "holding:5", new()), Tag("readOnly", "holding:6"))));
        var closed = new Gate(open: false);
        Assert.Equal(CommandResultKind.NotSent, (await running.WriteAsync("plc", "x", Value.Of(1), closed)).Kind);
        Assert.Equal(1, closed.Entered);
        var untouched = new Gate();
        await Assert.ThrowsAsync<ArgumentException>(() => running.WriteAsync("plc", "x", Value.Of(70_000), untouched).AsTask());
        await Assert.ThrowsAsync<InvalidOperationException>(() => running.WriteAsync("plc", "readOnly", Value.Of(1), untouched).AsTask());
        await Assert.ThrowsAsync<InvalidOperationException>(() => running.WriteAsync("plc", "none", Value.Of(1), untouched).AsTask());
        await server.StopAsync();
        await running.UntilAsync("plc", "x", r => r.Quality == Quality.Bad);
        await Assert.ThrowsAnyAsync<Exception>(() => running.WriteAsync("plc", "x", Value.Of(1), untouched).AsTask());
        Assert.Equal(0, untouched.Entered);
        Assert.DoesNotContain(server.Seen, r => !r.IsRead);
        // The bus is free again.
        server.Restart();
        Assert.Equal(CommandResultKind.Done, (await running.WriteAsync("plc", "x", Value.Of(3))).Kind);
    }

    [Fact]
    public async Task A_broadcast_is_sent_and_stays_unknown()
    {
        await using var server = new ScriptedServer();
        server.Script = call => Task.FromResult(call.Unit == 0);
        await using var running = await Running.StartAsync(Config(server.Endpoint, Device("all", 0, Tag("x", "holding:5", new())) with { Broadcast = true }, Device("plc", 1, Tag("y", "holding:5"))));
        var result = await running.WriteAsync("all", "x", Value.Of(1));
        Assert.Equal((CommandResultKind.Unknown, "modbus:broadcast"), (result.Kind, result.Code));
        var count = running.Of("plc", "y").Length;
        await running.UntilAsync(() => running.Of("plc", "y").Length > count + 1, "polls that go on");
        Assert.Single(server.Seen, r => r.Unit == 0);
    }

    [Fact]
    public async Task Connectors_share_one_connection_to_an_endpoint()
    {
        await using var server = new ScriptedServer();
        var context = new FakeContext(new DurableStore());
        await using var one = await Running.StartAsync(Config(server.Endpoint, Device("one", 1, Tag("x", "holding:5"))), context);
        await using var two = await Running.StartAsync(Config(server.Endpoint, Device("two", 2, Tag("x", "holding:5"))), context);
        await one.UntilAsync("one", "x", r => r.Quality == Quality.Good);
        await two.UntilAsync("two", "x", r => r.Quality == Quality.Good);
        Assert.Equal(1, server.Accepted);
        await Assert.ThrowsAsync<PermanentException>(() => Running.StartAsync(Config(server.Endpoint, Device("three", 3, Tag("x", "holding:5"))) with { MaxInFlight = 8 }, context));
    }

    [Fact]
    public async Task Eight_requests_may_be_on_their_way()
    {
        await using var server = new ScriptedServer();
        var waiting = 0;
        var most = 0;
        var all = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        server.Script = async call =>
        {
            most = Math.Max(most, ++waiting);
            if (waiting == 8) all.TrySetResult();
            _ = Task.Run(async () => { await all.Task; await call.SendAsync(call.Decent()); });
            return await Task.FromResult(true);
        };
        TagConfig[] tags = [.. Enumerable.Range(0, 8).Select(i => Tag("r" + i, "holding:" + i * 1000))];
        await using var running = await Running.StartAsync(Config(server.Endpoint, Device("plc", 1, tags)) with { MaxInFlight = 8, Timeout = TimeSpan.FromSeconds(10) });
        foreach (var i in Enumerable.Range(0, 8)) Assert.Equal(i * 1000, (await running.UntilAsync("plc", "r" + i, r => r.Quality == Quality.Good)).Value.AsInt64);
    }

    [Fact]
    public async Task Switched_off_parts_are_neither_read_nor_reported_as_trouble()
    {
        await using var server = new ScriptedServer();
        await using var running = await Running.StartAsync(Config(server.Endpoint,
            Device("plc", 1, Tag("on", "holding:5"), Tag("off", "holding:6") with { Enabled = false }), Device("spare", 9, Tag("x", "holding:5")) with { Enabled = false }));
        await running.UntilAsync("plc", "on", r => r.Quality == Quality.Good);
        Assert.Equal(PartState.Disabled, running.Health("spare")!.Value.State);
        Assert.Equal(PartState.Disabled, running.Health("plc", "off")!.Value.State);
        Assert.All(server.Seen, r => Assert.Equal((1, 5, 1), (r.Unit, r.Address, r.Quantity)));
    }
}
