using IotGateway.Connectors.Mqtt.Protocol;

namespace IotGateway.Connectors.Mqtt.Client;

/// <summary>
/// Reads packets off a stream. One reader, no locks. Packets are slices of 64 KiB chunks that the garbage collector frees when
/// the last message in them is durable: per message nothing is copied and no buffer is rented. A packet larger than a chunk gets an
/// array that grows with what has really arrived, so that a claimed length costs nothing.
/// </summary>
sealed class PacketReader(Stream stream, MqttLimits limits)
{
    const int ChunkSize = 64 * 1024; // below the large object heap
    byte[] _chunk = GC.AllocateUninitializedArray<byte>(ChunkSize);
    int _start, _end, _lastRead;
    bool _shared; // a packet handed out may still point into the chunk

    public MqttVersion Version { get; init; }

    /// <summary>The next packet; null when the peer has closed.</summary>
    public ValueTask<MqttPacket?> ReadAsync(CancellationToken ct) => ReadAsync(null, ct);

    /// <summary>The next packet; null when the peer has closed.</summary>
    /// <param name="gathering">Decides whether to wait before the stream is read.</param>
    public async ValueTask<MqttPacket?> ReadAsync(Gathering? gathering, CancellationToken ct)
    {
        while (true)
        {
            if (TryTake(out var packet)) return packet;
            if (gathering is not null) await gathering.WaitAsync(_lastRead, ct).ConfigureAwait(false);
            var read = await stream.ReadAsync(_chunk.AsMemory(_end), ct).ConfigureAwait(false);
            if (read == 0) return null;
            _end += read;
            _lastRead = read;
        }
    }

    /// <summary>A packet that has already arrived whole; otherwise makes room to read more.</summary>
    public bool TryTake(out MqttPacket? packet)
    {
        packet = null;
        var missing = PacketHeader.TryRead(_chunk.AsSpan(_start, _end - _start), Version, limits, out var header) ? header.Total - (_end - _start) : 1;
        if (missing > 0)
        {
            MakeRoom(missing);
            return false;
        }
        packet = MqttDecoder.Decode(header, _chunk.AsMemory(_start + header.Size, header.Body), Version, limits);
        _shared |= packet is not (PingPacket or AckPacket { Properties.IsEmpty: true }); // these hold no slice
        _start += header.Total;
        return true;
    }

    void MakeRoom(int missing)
    {
        var have = _end - _start;
        if (have == 0 && !_shared) _start = _end = 0;
        if (_chunk.Length - _end >= Math.Clamp(missing, ChunkSize / 16, ChunkSize / 2)) return; // no tiny reads at a chunk's end
        var size = Math.Max(ChunkSize, (int)Math.Min((long)have + missing, have * 2L));
        var next = _shared || size > _chunk.Length ? GC.AllocateUninitializedArray<byte>(size) : _chunk;
        _chunk.AsSpan(_start, have).CopyTo(next);
        (_chunk, _start, _end, _shared) = (next, 0, have, false);
    }
}
