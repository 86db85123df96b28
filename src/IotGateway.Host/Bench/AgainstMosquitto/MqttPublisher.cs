using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;

namespace IotGateway.Host.Bench.AgainstMosquitto;

/// <summary>
/// Publishes with QoS 1 as fast as the broker acknowledges, or at a pace. Writes MQTT 3.1.1 itself (§3.1, §3.3), since <c>mosquitto_pub</c> takes
/// one topic a process and it shares two cores with what is measured. One use at a time.
/// </summary>
sealed class MqttPublisher : IDisposable
{
    const int Chunk = 250, Window = 500;
    const byte Publish = 0x32, PubAck = 0x40; // PUBLISH with QoS 1; PUBACK

    readonly TcpClient _tcp = new() { NoDelay = true };
    readonly byte[] _acks = new byte[4 * Window];
    byte[] _buffer = new byte[1 << 16];
    int _length, _partial, _open;
    ushort _id;

    public static async Task<MqttPublisher> ConnectAsync(int port, CancellationToken ct)
    {
        var publisher = new MqttPublisher();
        await publisher._tcp.ConnectAsync("127.0.0.1", port, ct).ConfigureAwait(false);
        var stream = publisher._tcp.GetStream();
        // CONNECT: protocol MQTT level 4, clean session, no keep alive, client id of one letter.
        await stream.WriteAsync(new byte[] { 0x10, 13, 0, 4, (byte)'M', (byte)'Q', (byte)'T', (byte)'T', 4, 2, 0, 0, 0, 1, (byte)'p' }, ct).ConfigureAwait(false);
        await stream.ReadExactlyAsync(publisher._acks.AsMemory(0, 4), ct).ConfigureAwait(false); // CONNACK
        return publisher;
    }

    /// <summary>Publishes that many; returns when the last is acknowledged.</summary>
    public async Task PublishAsync(int count, Func<int, string> topic, ReadOnlyMemory<byte> payload, CancellationToken ct)
    {
        for (var i = 0; i < count;)
        {
            for (var end = Math.Min(count, i + Chunk); i < end; i++) Add(topic(i), payload.Span);
            await SendAsync(ct).ConfigureAwait(false);
            await AcknowledgedAsync(Window - Chunk, ct).ConfigureAwait(false);
        }
        await AcknowledgedAsync(0, ct).ConfigureAwait(false);
    }

    /// <summary>Publishes messages of the given size at a pace: each begins with the time it was handed over, eight bytes.</summary>
    public async Task PaceAsync(string topic, int perSecond, TimeSpan time, int size, CancellationToken ct)
    {
        var payload = new byte[size];
        payload.AsSpan().Fill((byte)'x');
        var started = TimeProvider.System.GetTimestamp();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(1), TimeProvider.System);
        for (var sent = 0; sent < perSecond * time.TotalSeconds;)
        {
            await timer.WaitForNextTickAsync(ct).ConfigureAwait(false);
            for (var due = perSecond * TimeProvider.System.GetElapsedTime(started).TotalSeconds; sent < due; sent++)
            {
                // As text, for mosquitto_sub prints lines.
                Encoding.ASCII.GetBytes(TimeProvider.System.GetTimestamp().ToString("D20", System.Globalization.CultureInfo.InvariantCulture), payload);
                Add(topic, payload);
                await SendAsync(ct).ConfigureAwait(false);
            }
            await AcknowledgedAsync(Window - 1, ct).ConfigureAwait(false);
        }
        await AcknowledgedAsync(0, ct).ConfigureAwait(false);
    }

    void Add(string topic, ReadOnlySpan<byte> payload)
    {
        var name = Encoding.UTF8.GetByteCount(topic);
        var body = 2 + name + 2 + payload.Length;
        if (_buffer.Length - _length < body + 5) Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, _length + body + 5));
        _buffer[_length++] = Publish;
        for (var rest = body; ;) // §2.2.3
        {
            var digit = rest & 0x7F;
            rest >>= 7;
            _buffer[_length++] = (byte)(digit | (rest > 0 ? 0x80 : 0));
            if (rest == 0) break;
        }
        BinaryPrimitives.WriteUInt16BigEndian(_buffer.AsSpan(_length), (ushort)name);
        Encoding.UTF8.GetBytes(topic, _buffer.AsSpan(_length + 2));
        _id = _id == ushort.MaxValue ? (ushort)1 : (ushort)(_id + 1);
        BinaryPrimitives.WriteUInt16BigEndian(_buffer.AsSpan(_length + 2 + name), _id);
        payload.CopyTo(_buffer.AsSpan(_length + 4 + name));
        _length += body;
        _open++;
    }

    async Task SendAsync(CancellationToken ct)
    {
        await _tcp.GetStream().WriteAsync(_buffer.AsMemory(0, _length), ct).ConfigureAwait(false);
        _length = 0;
    }

    /// <summary>Reads acknowledgements that are there; waits for them while more than that many messages are without.</summary>
    async Task AcknowledgedAsync(int most, CancellationToken ct)
    {
        while (_open > most || _tcp.Available > 0)
        {
            var read = await _tcp.GetStream().ReadAsync(_acks.AsMemory(_partial), ct).ConfigureAwait(false);
            if (read == 0) throw new IOException("The broker closed the connection of the publisher.");
            read += _partial;
            for (var at = 0; at + 4 <= read; at += 4)
                if (_acks[at] != PubAck) throw new InvalidDataException($"The broker sent {_acks[at]:x2} to the publisher.");
            _open -= read / 4;
            _partial = read % 4;
            _acks.AsSpan(read - _partial, _partial).CopyTo(_acks);
        }
    }

    public void Dispose() => _tcp.Dispose();
}
