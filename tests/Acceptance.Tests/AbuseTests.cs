using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Confluent.Kafka;

namespace Acceptance.Tests;

/// <summary>
/// What strangers do to an open port, all at once, against the real process, while an ordinary producer goes on: it is not disturbed,
/// memory stays bounded, the log is not flooded, and nothing acknowledged is missing.
/// </summary>
public sealed class AbuseTests : IAsyncLifetime
{
    const int Million = 1_000_000;
    readonly GatewayUnderTest _gateway = new(gatewayOptions: o => o["broker"]!["maxConnections"] = 600);
    readonly List<Socket> _sockets = [];

    public async ValueTask InitializeAsync() => await _gateway.StartAsync();

    public async ValueTask DisposeAsync()
    {
        foreach (var socket in _sockets) socket.Dispose();
        await _gateway.DisposeAsync();
    }

    [Fact]
    public async Task Strangers_on_the_port_disturb_nobody_and_cost_bounded_memory()
    {
        await _gateway.CliAsync("topics", "create", "fat");
        await _gateway.CliAsync("topics", "create", "thin");
        await _gateway.CliAsync("topics", "create", "orphans");
        using var producer = new ProducerBuilder<Null, byte[]>(new ProducerConfig { BootstrapServers = _gateway.Broker, LingerMs = 0, MessageTimeoutMs = 20_000, MessageMaxBytes = 2 * Million, EnableIdempotence = true }).Build();
        for (var i = 0; i < 30; i++) await producer.ProduceAsync("fat", new() { Value = new byte[Million] }, TestContext.Current.CancellationToken);
        var before = Memory();

        using var stop = new CancellationTokenSource();
        var ordinary = OrdinaryAsync(producer, stop.Token);
        await GarbageAsync(60);
        await AnnounceAndDripAsync(12);
        await VanishAsync(40);
        await NeverReadAsync(60);
        await CrowdAsync(700);
        await DripAsync(seconds: 10);
        var during = Memory();
        await stop.CancelAsync();
        var (sent, slowest) = await ordinary;

        TestContext.Current.TestOutputHelper!.WriteLine($"RSS {before} MiB before, {during} MiB under abuse; {sent} ordinary records, slowest acknowledgement {slowest.TotalMilliseconds:0} ms");
        Assert.InRange(slowest.TotalSeconds, 0, 10);
        Assert.InRange(during, 1, before + 800); // both memory budgets (256 MiB each), sockets, slack
        Assert.InRange(Lines("was disconnected"), 1, 2); // one a minute
        Assert.Equal(1, Lines("are connected; those that ask for nothing make room"));
        Assert.Equal(0, Lines(" ERROR "));
        foreach (var socket in _sockets) socket.Dispose();
        var read = await Tool.RunAsync("kcat", ["-b", _gateway.Broker, "-C", "-t", "thin", "-o", "beginning", "-e", "-X", "fetch.wait.max.ms=10", "-q"]);
        Assert.Equal(Enumerable.Range(0, sent).Select(i => i.ToString(CultureInfo.InvariantCulture)), read.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        await _gateway.StopAsync();
    }

    [Fact]
    public async Task A_client_that_has_closed_its_sending_half_still_gets_its_answers()
    {
        using var socket = await ConnectAsync();
        var request = Frame(3, 9, [1, 1, 0, 0, 0]); // Metadata of no topics: an empty compact array, two flags and no tags
        for (var i = 0; i < 5; i++) await socket.SendAsync(request);
        socket.Shutdown(SocketShutdown.Send);
        var answers = new MemoryStream();
        var part = new byte[4096];
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        for (int got; (got = await socket.ReceiveAsync(part, patience.Token)) > 0;) answers.Write(part, 0, got);
        var whole = answers.ToArray();
        var count = 0;
        for (var at = 0; at < whole.Length; at += 4 + BinaryPrimitives.ReadInt32BigEndian(whole.AsSpan(at))) count++;
        Assert.Equal(5, count);
        await _gateway.StopAsync();
    }

    static async Task<(int Sent, TimeSpan Slowest)> OrdinaryAsync(IProducer<Null, byte[]> producer, CancellationToken stop)
    {
        var (sent, slowest) = (0, TimeSpan.Zero);
        for (; !stop.IsCancellationRequested; sent++)
        {
            var watch = System.Diagnostics.Stopwatch.StartNew();
            await producer.ProduceAsync("thin", new() { Value = Encoding.ASCII.GetBytes(sent.ToString(CultureInfo.InvariantCulture)) }, CancellationToken.None);
            if (watch.Elapsed > slowest) slowest = watch.Elapsed;
        }
        return (sent, slowest);
    }

    /// <summary>Impossible lengths, other protocols, random bytes, arrays that claim billions.</summary>
    async Task GarbageAsync(int clients)
    {
        var random = new Random(Machine.Seed);
        for (var i = 0; i < clients; i++)
        {
            var socket = await KeepAsync();
            var bytes = new byte[200];
            random.NextBytes(bytes);
            switch (i % 5)
            {
                case 0: BinaryPrimitives.WriteInt32BigEndian(bytes, int.MaxValue - i); break;
                case 1: BinaryPrimitives.WriteInt32BigEndian(bytes, -i); break;
                case 2: "GET / HTTP/1.1\r\n"u8.CopyTo(bytes); break;
                case 3: BinaryPrimitives.WriteInt32BigEndian(bytes, 196); break;
                default: bytes = Frame(3, 1, [0x7f, 0xff, 0xff, 0xff]); break;
            }
            await socket.SendAsync(bytes);
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
            try
            {
                while (await socket.ReceiveAsync(bytes, patience.Token) > 0) { }
            }
            catch (SocketException reset)
            {
                Assert.Equal(SocketError.ConnectionReset, reset.SocketErrorCode);
            }
        }
    }

    readonly List<Socket> _dripping = [];

    /// <summary>Frames of 90 MiB of which one byte a second comes: together more than the whole budget.</summary>
    async Task AnnounceAndDripAsync(int clients)
    {
        var announcement = new byte[14];
        BinaryPrimitives.WriteInt32BigEndian(announcement, 90 << 20);
        for (var i = 0; i < clients; i++)
        {
            var socket = await KeepAsync();
            await socket.SendAsync(announcement);
            _dripping.Add(socket);
        }
    }

    async Task DripAsync(int seconds)
    {
        for (var i = 0; i < seconds; i++)
        {
            await Task.Delay(1000);
            foreach (var socket in _dripping.ToArray())
            {
                try
                {
                    await socket.SendAsync(new byte[1]);
                }
                catch (SocketException gone) when (gone.SocketErrorCode is SocketError.ConnectionReset or SocketError.Shutdown)
                {
                    _dripping.Remove(socket); // it had to make room for others
                }
            }
        }
    }

    /// <summary>Records with their acknowledgements outstanding, and the client gone without a word.</summary>
    async Task VanishAsync(int clients)
    {
        var name = "orphans"u8.ToArray();
        byte[] body = [0xff, 0xff, 0xff, 0xff, 0, 0, 0x10, 0, 0, 0, 0, 1, 0, (byte)name.Length, .. name, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 4, 1, 2, 3, 4];
        for (var i = 0; i < clients; i++)
        {
            using var socket = await ConnectAsync();
            for (var n = 0; n < 50; n++) await socket.SendAsync(Frame(0, 3, body));
            socket.LingerState = new LingerOption(true, 0); // reset
        }
    }

    /// <summary>Ten fetches of 30 MB each, and not a byte of an answer read.</summary>
    async Task NeverReadAsync(int clients)
    {
        var name = "fat"u8.ToArray();
        byte[] body = [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x04, 0, 0, 0, 0, 0, 0, 0, 1, 0, (byte)name.Length, .. name, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x04, 0, 0, 0];
        for (var i = 0; i < clients; i++)
        {
            var socket = await KeepAsync();
            for (var n = 0; n < 10; n++) await socket.SendAsync(Frame(1, 4, body));
        }
    }

    /// <summary>More connections than there may be.</summary>
    async Task CrowdAsync(int clients)
    {
        for (var i = 0; i < clients; i++) await KeepAsync();
    }

    async Task<Socket> KeepAsync()
    {
        var socket = await ConnectAsync();
        _sockets.Add(socket);
        return socket;
    }

    async Task<Socket> ConnectAsync()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, _gateway.Port), TestContext.Current.CancellationToken);
        return socket;
    }

    /// <summary>Length, key, version, correlation id, no client id, and from version 9 of Metadata on no tags.</summary>
    static byte[] Frame(short key, short version, ReadOnlySpan<byte> body)
    {
        byte[] frame = [0, 0, 0, 0, 0, (byte)key, 0, (byte)version, 0, 0, 0, 1, 0xff, 0xff, .. (key == 3 && version >= 9 ? [(byte)0] : Array.Empty<byte>()), .. body];
        BinaryPrimitives.WriteInt32BigEndian(frame, frame.Length - 4);
        return frame;
    }

    int Lines(string text) => _gateway.Log.Split('\n').Count(l => l.Contains(text, StringComparison.Ordinal));

    int Memory() => int.Parse(File.ReadLines($"/proc/{_gateway.Process!.Process.Id}/status").First(l => l.StartsWith("VmRSS", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;
}
