using IotGateway.Connectors.Modbus.Client;
using IotGateway.Connectors.Modbus.Config;
using IotGateway.Connectors.Modbus.Protocol;
using Modbus.Tests.Support;

namespace Modbus.Tests.Client;

/// <summary>
/// A bus against servers that misbehave. The decent part of the server answers every register with its own address, so a value attributed
/// to a wrong register can not go unnoticed.
/// </summary>
public sealed class HostileServerTests
{
    static readonly TimeSpan Short = TimeSpan.FromMilliseconds(150), Long = TimeSpan.FromSeconds(10);

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    static Bus BusTo(ScriptedServer server, int maxInFlight = 1)
        => new(new([new("127.0.0.1", server.Port)], TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(1), maxInFlight), TimeProvider.System);

    static async Task<(ExchangeResult Result, byte[] Data)> ReadAsync(Bus bus, int address, int quantity, TimeSpan timeout, byte unit = 1)
    {
        var slot = await bus.TakeAsync(Priority.Read, Ct);
        try
        {
            var result = await slot.RunAsync(await bus.ConnectAsync(false, Ct), Request.Read(unit, Area.Holding, address, quantity), timeout, Ct);
            return (result, slot.Data.ToArray());
        }
        finally
        {
            bus.Return(slot);
        }
    }

    static async Task AssertReadsAsync(Bus bus, int address, int quantity)
    {
        var (result, data) = await ReadAsync(bus, address, quantity, Long);
        Assert.Equal(ExchangeStatus.Ok, result.Status);
        for (var i = 0; i < quantity; i++) Assert.Equal(address + i, data[i * 2] << 8 | data[i * 2 + 1]);
    }

    [Fact]
    public async Task A_late_reply_is_never_taken_for_the_next_request()
    {
        await using var server = new ScriptedServer();
        byte[]? late = null;
        server.Script = async call =>
        {
            if (call.Number == 1)
            {
                late = call.Decent();
                return true;
            }
            if (late is not null) await call.SendAsync(late);
            late = null;
            return false;
        };
        await using var bus = BusTo(server);
        Assert.Equal(ExchangeStatus.Timeout, (await ReadAsync(bus, 100, 2, Short)).Result.Status);
        await AssertReadsAsync(bus, 500, 2);
        await AssertReadsAsync(bus, 502, 2);
        Assert.Equal(1, server.Accepted);
        Assert.Equal(1, (await bus.ConnectAsync(false, Ct)).Late);
    }

    [Fact]
    public async Task A_reply_under_a_foreign_transaction_id_is_dropped()
    {
        await using var server = new ScriptedServer();
        server.Script = async call =>
        {
            var foreign = server.DecentFrame((ushort)(call.Transaction + 7), call.Request with { Address = 9999 });
            await call.SendAsync(foreign);
            return false;
        };
        await using var bus = BusTo(server);
        await AssertReadsAsync(bus, 100, 3);
        await AssertReadsAsync(bus, 200, 3);
    }

    public static TheoryData<string> Lies() => ["unit", "function", "too long", "too short", "byte count", "exception of another function", "echo of a write"];

    [Theory, MemberData(nameof(Lies))]
    public async Task A_reply_that_does_not_fit_its_request_is_not_used_and_ends_the_connection(string lie)
    {
        await using var server = new ScriptedServer();
        server.Script = async call =>
        {
            if (call.Number > 1) return false;
            var frame = call.Decent();
            switch (lie)
            {
                case "unit": frame[6] = 2; break;
                case "function": frame[7] = 4; break;
                case "too long": frame = server.DecentFrame(call.Transaction, call.Request with { Quantity = 3 }); break;
                case "too short": frame = server.DecentFrame(call.Transaction, call.Request with { Quantity = 1 }); break;
                case "byte count": frame[8] = 2; break;
                case "echo of a write": frame = server.DecentFrame(call.Transaction, Request.WriteRegister(1, 100, new byte[] { 1, 2 })); break;
                default: frame = [.. call.Exception(2)[..7], 0x84, 2]; break;
            }
            await call.SendAsync(frame);
            return true;
        };
        await using var bus = BusTo(server);
        var (result, data) = await ReadAsync(bus, 100, 2, Long);
        Assert.Equal(ExchangeStatus.Mismatch, result.Status);
        Assert.Empty(data);
        await AssertReadsAsync(bus, 300, 2);
        Assert.Equal(2, server.Accepted);
    }

    [Fact]
    public async Task Replies_may_come_byte_by_byte_or_all_at_once()
    {
        await using var server = new ScriptedServer();
        var held = new List<byte>();
        server.Script = async call =>
        {
            if (call.Number == 1)
            {
                foreach (var b in call.Decent()) await call.SendAsync(b);
                return true;
            }
            lock (held)
            {
                // The younger reply first, so that order alone would give each the other's value.
                held.InsertRange(0, call.Decent());
                if (call.Number < 5) return true;
            }
            await call.SendAsync([.. held]);
            return true;
        };
        await using var bus = BusTo(server, maxInFlight: 4);
        await AssertReadsAsync(bus, 10, 125);
        await Task.WhenAll(Enumerable.Range(1, 4).Select(i => AssertReadsAsync(bus, i * 1000, i)));
    }

    [Fact]
    public async Task Every_exception_code_reaches_its_own_request()
    {
        await using var server = new ScriptedServer();
        server.Script = async call =>
        {
            if (call.Request.Address is < 1 or > 11) return false;
            await call.SendAsync(call.Exception(call.Request.Address));
            return true;
        };
        await using var bus = BusTo(server, maxInFlight: 8);
        await Task.WhenAll(Enumerable.Range(1, 11).Select(async code =>
        {
            var (result, _) = await ReadAsync(bus, code, 1, Long);
            Assert.Equal((ExchangeStatus.Exception, (ExceptionCode)code), (result.Status, result.Exception));
            await AssertReadsAsync(bus, code * 100, 2);
        }));
        Assert.Equal(1, server.Accepted);
    }

    [Fact]
    public async Task A_close_in_the_middle_of_a_frame_loses_the_request_and_nothing_else()
    {
        await using var server = new ScriptedServer();
        server.Script = async call =>
        {
            if (call.Number > 1) return false;
            await call.SendAsync(call.Decent()[..10]);
            call.Client.Shutdown(System.Net.Sockets.SocketShutdown.Send);
            return true;
        };
        await using var bus = BusTo(server);
        var (result, data) = await ReadAsync(bus, 100, 2, Long);
        Assert.Equal(ExchangeStatus.Lost, result.Status);
        Assert.Empty(data);
        // What was left of the frame must not be glued to the next connection's first reply.
        await AssertReadsAsync(bus, 300, 2);
    }

    [Theory]
    [InlineData("485454502F312E312034303420"), InlineData("0000000000FF01"), InlineData("00000000000001"), InlineData("FFFFFFFFFFFFFFFF")]
    public async Task Garbage_ends_the_connection_and_the_next_request_gets_a_fresh_one(string garbage)
    {
        await using var server = new ScriptedServer();
        server.Script = async call =>
        {
            if (call.Number > 1) return false;
            await call.SendAsync(Convert.FromHexString(garbage));
            return true;
        };
        await using var bus = BusTo(server);
        Assert.Equal(ExchangeStatus.Lost, (await ReadAsync(bus, 100, 2, Long)).Result.Status);
        await AssertReadsAsync(bus, 300, 2);
        Assert.Equal(2, server.Accepted);
    }

    [Fact]
    public async Task A_server_that_says_nothing_gets_a_fresh_connection_after_some_timeouts()
    {
        await using var server = new ScriptedServer();
        server.Script = call => Task.FromResult(call.Number <= 3);
        await using var bus = BusTo(server);
        for (var i = 0; i < 3; i++) Assert.Equal(ExchangeStatus.Timeout, (await ReadAsync(bus, i, 1, Short)).Result.Status);
        await AssertReadsAsync(bus, 300, 2);
        Assert.Equal(2, server.Accepted);
    }

    [Fact]
    public async Task A_late_reply_of_an_earlier_connection_hits_nobody_on_the_next()
    {
        await using var server = new ScriptedServer();
        byte[]? late = null;
        server.Script = async call =>
        {
            if (call.Number == 1)
            {
                late = call.Decent();
                call.Client.Close();
                return true;
            }
            await call.SendAsync(late!);
            return false;
        };
        await using var bus = BusTo(server);
        Assert.Equal(ExchangeStatus.Lost, (await ReadAsync(bus, 100, 2, Long)).Result.Status);
        await AssertReadsAsync(bus, 500, 2);
    }

    [Fact]
    public async Task Random_misbehaviour_never_gives_a_register_another_ones_value()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        await using var server = new ScriptedServer();
        var late = new List<byte[]>();
        server.Script = async call =>
        {
            int dice, from, length;
            byte[][] overdue;
            lock (late)
            {
                (dice, from, length) = (random.Next(12), random.Next(12), random.Next(1, 30));
                overdue = dice == 0 ? [.. late] : [];
                if (dice == 0) late.Clear();
            }
            var frame = call.Decent();
            foreach (var old in overdue) await call.SendAsync(old);
            switch (dice)
            {
                case 1: lock (late) late.Add(frame); return true;
                case 2: await call.SendAsync(server.DecentFrame((ushort)(call.Transaction + 20_000), call.Request with { Address = 50000 })); break;
                case 3: await call.SendAsync(call.Exception(2)); return true;
                case 4: frame[6] ^= 1; break;
                case 5: await call.SendAsync(frame[..Math.Min(length, frame.Length)]); await Task.Yield(); await call.SendAsync(frame[Math.Min(length, frame.Length)..]); return true;
                case 6 when from == 0: call.Client.Close(); return true;
                case 7: frame[8] ^= 2; break;
            }
            await call.SendAsync(frame);
            return true;
        };
        await using var bus = BusTo(server, maxInFlight: 4);
        var good = 0;
        await Task.WhenAll(Enumerable.Range(0, 4).Select(async worker =>
        {
            for (var i = 0; i < 100; i++)
            {
                var (address, quantity) = (worker * 10_000 + i * 7, 1 + i % 20);
                var (result, data) = await ReadAsync(bus, address, quantity, Short);
                if (result.Status != ExchangeStatus.Ok) continue;
                Interlocked.Increment(ref good);
                for (var k = 0; k < quantity; k++) Assert.True(address + k == (data[k * 2] << 8 | data[k * 2 + 1]), $"Seed {seed}: register {address + k} got {data[k * 2] << 8 | data[k * 2 + 1]}");
            }
        }));
        Assert.InRange(good, 50, 400);
    }

    [Fact]
    public async Task A_command_waits_for_no_more_than_one_request_on_its_way()
    {
        await using var server = new ScriptedServer();
        var hold = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var first = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        server.Script = async call =>
        {
            first.TrySetResult();
            await hold.Task;
            return false;
        };
        await using var bus = BusTo(server);
        var polls = Enumerable.Range(0, 10).Select(i => OneAsync(Priority.Poll, i)).ToArray();
        await first.Task.WaitAsync(Long, Ct);
        var read = OneAsync(Priority.Read, 50);
        var command = OneAsync(Priority.Command, 99);
        hold.SetResult();
        await Task.WhenAll([.. polls, read, command]);
        Assert.Equal([0, 99, 50], server.Seen.Take(3).Select(r => (int)r.Address));

        async Task OneAsync(Priority priority, int address)
        {
            var slot = await bus.TakeAsync(priority, Ct);
            await slot.RunAsync(await bus.ConnectAsync(false, Ct), Request.Read(1, Area.Holding, address, 1), Long, Ct);
            bus.Return(slot);
        }
    }

    [Fact]
    public async Task An_endpoint_that_is_away_is_an_error_at_once_and_in_words()
    {
        var server = new ScriptedServer();
        await using var bus = BusTo(server);
        await server.DisposeAsync();
        var error = await Assert.ThrowsAsync<BusException>(() => bus.ConnectAsync(false, Ct).AsTask());
        Assert.Equal($"127.0.0.1:{server.Port} can not be reached: nothing listens there (connection refused)", error.Message);
        Assert.True(bus.UntilNextAttempt > TimeSpan.Zero);
        await Assert.ThrowsAsync<BusException>(() => bus.ConnectAsync(true, Ct).AsTask());
    }

    [Fact]
    public async Task Of_several_addresses_one_that_works_is_taken()
    {
        var dead = new ScriptedServer();
        await dead.DisposeAsync();
        await using var alive = new ScriptedServer();
        await using var bus = new Bus(new([new("127.0.0.1", dead.Port), new("127.0.0.1", alive.Port)], TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(1), 1), TimeProvider.System);
        await AssertReadsAsync(bus, 1, 1);
        Assert.Equal(1, alive.Accepted);
    }

    [Fact]
    public async Task A_cancelled_wait_leaves_no_slot_behind()
    {
        await using var server = new ScriptedServer();
        server.Script = call => Task.FromResult(call.Number == 1);
        await using var bus = BusTo(server);
        using var cancel = new CancellationTokenSource();
        var slot = await bus.TakeAsync(Priority.Poll, Ct);
        var waiting = bus.TakeAsync(Priority.Poll, cancel.Token).AsTask();
        var running = slot.RunAsync(await bus.ConnectAsync(false, Ct), Request.Read(1, Area.Holding, 1, 1), Long, cancel.Token).AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        bus.Return(slot);
        await AssertReadsAsync(bus, 7, 1);
    }
}
