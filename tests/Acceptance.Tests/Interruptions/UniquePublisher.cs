using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Acceptance.Tests.Interruptions;

/// <summary>
/// Publishes payloads no two of which are equal, never one twice, each topic with its own QoS, and keeps which of them the broker took over. When
/// the broker is away it knocks until it is back; what had no answer then may or may not have arrived. Speaks MQTT 3.1.1 by itself.
/// </summary>
sealed class UniquePublisher : IAsyncDisposable
{
    const int Burst = 4, Window = 200;
    static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(20), Knock = TimeSpan.FromMilliseconds(50);

    readonly (string Name, int Qos)[] _topics;
    readonly int _port;
    readonly string? _user;
    readonly int[] _next;
    readonly HashSet<string> _accepted = [];
    readonly Lock _lock = new();
    readonly CancellationTokenSource _over = new();
    readonly Task _running;
    bool _held;

    public UniquePublisher(int port, string? user, params (string Name, int Qos)[] topics)
    {
        (_port, _user, _topics, _next) = (port, user, topics, new int[topics.Length]);
        _running = RunAsync();
    }

    /// <summary>Why it is not publishing at the moment; null when it is.</summary>
    public string? Trouble { get; private set; }

    /// <summary>Payloads the broker took over and still owes, as of the last <see cref="Forgive"/>.</summary>
    public IReadOnlyCollection<string> Accepted { get { lock (_lock) return [.. _accepted]; } }

    /// <summary>The next number of each topic.</summary>
    public int[] Next { get { lock (_lock) return [.. _next]; } }

    /// <summary>The broker lost its memory: it owes nothing any more.</summary>
    public void Forgive()
    {
        lock (_lock) _accepted.Clear();
    }

    /// <summary>Publishes nothing until told.</summary>
    public void Hold(bool hold)
    {
        lock (_lock) _held = hold;
    }

    public static string Text(int topic, int number) => string.Create(CultureInfo.InvariantCulture, $"{topic:D2}/{number:D10}");

    async Task RunAsync()
    {
        await Task.Yield();
        while (!_over.IsCancellationRequested)
        {
            try
            {
                using var tcp = new TcpClient { NoDelay = true };
                await tcp.ConnectAsync(IPAddress.Loopback, _port, _over.Token);
                using var both = CancellationTokenSource.CreateLinkedTokenSource(_over.Token);
                Dictionary<ushort, string> open = [];
                var stream = tcp.GetStream();
                await stream.WriteAsync(Connect(), both.Token);
                var answers = AnswersAsync(stream, open, both.Token);
                var publishing = PublishAsync(stream, open, both.Token);
                Trouble = null;
                await await Task.WhenAny(answers, publishing);
                await both.CancelAsync();
            }
            catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
            {
                Trouble = e.Message;
            }
            await Task.Delay(Knock, CancellationToken.None);
        }
    }

    async Task PublishAsync(NetworkStream stream, Dictionary<ushort, string> open, CancellationToken ct)
    {
        ushort id = 0;
        var packet = new List<byte>();
        using var timer = new PeriodicTimer(Pace);
        while (await timer.WaitForNextTickAsync(ct))
        {
            packet.Clear();
            lock (_lock)
            {
                for (var i = 0; !_held && i < Burst * _topics.Length && open.Count < Window; i++)
                {
                    var topic = i % _topics.Length;
                    do id = id == ushort.MaxValue ? (ushort)1 : (ushort)(id + 1);
                    while (open.ContainsKey(id));
                    var payload = Text(topic, _next[topic]++);
                    open[id] = payload;
                    packet.Add((byte)(0x30 | _topics[topic].Qos << 1));
                    packet.Add((byte)(2 + _topics[topic].Name.Length + 2 + payload.Length)); // all short
                    packet.AddRange([0, (byte)_topics[topic].Name.Length, .. Encoding.ASCII.GetBytes(_topics[topic].Name), (byte)(id >> 8), (byte)id, .. Encoding.ASCII.GetBytes(payload)]);
                }
            }
            await stream.WriteAsync(packet.ToArray(), ct);
        }
    }

    async Task AnswersAsync(NetworkStream stream, Dictionary<ushort, string> open, CancellationToken ct)
    {
        var answer = new byte[4]; // CONNACK, PUBACK, PUBREC and PUBCOMP have four bytes each (MQTT 3.1.1 §3.2, §3.4 to §3.7)
        while (true)
        {
            await stream.ReadExactlyAsync(answer, ct);
            var id = BinaryPrimitives.ReadUInt16BigEndian(answer.AsSpan(2));
            if (answer[0] == 0x20 && answer[3] != 0) throw new IOException($"The broker refuses the publisher: {answer[3]}.");
            if (answer[0] == 0x50) await stream.WriteAsync(new byte[] { 0x62, 2, answer[2], answer[3] }, ct); // PUBREL
            if (answer[0] is not (0x40 or 0x70)) continue;
            lock (_lock)
                if (open.Remove(id, out var payload)) _accepted.Add(payload);
        }
    }

    byte[] Connect()
    {
        var id = "publisher"u8;
        List<byte> body = [0, 4, .. "MQTT"u8, 4, (byte)(_user is null ? 2 : 0xC2), 0, 0, 0, (byte)id.Length, .. id];
        if (_user is not null)
            foreach (var text in new[] { _user, "x" }) body.AddRange([0, (byte)text.Length, .. Encoding.ASCII.GetBytes(text)]);
        return [0x10, (byte)body.Count, .. body];
    }

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        await _running;
        _over.Dispose();
    }
}
