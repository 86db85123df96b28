using System.Buffers.Binary;
using IotGateway.Log;

namespace IotGateway.Broker.Server;

/// <summary>
/// Gives producer ids that are never given twice: a block is reserved durably before the first id of it is handed out, and a restart
/// goes on with the next block. Thread-safe.
/// </summary>
internal sealed class ProducerIds(LogStore log) : IDisposable
{
    const string Table = "broker.producer-ids";
    const int Block = 1000;
    static readonly byte[] Key = "next"u8.ToArray();
    readonly SemaphoreSlim _turn = new(1, 1);
    long _next;
    long _end;

    public async ValueTask<long> NextAsync(CancellationToken ct)
    {
        await _turn.WaitAsync(ct);
        try
        {
            if (_next == _end) await ReserveAsync(ct);
            return _next++;
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose() => _turn.Dispose();

    async ValueTask ReserveAsync(CancellationToken ct)
    {
        var start = log.Get(Table, Key) is { } kept ? BinaryPrimitives.ReadInt64BigEndian(kept.Span) : 0;
        var value = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(value, start + Block);
        var unit = new LogUnit();
        unit.Put(Table, Key, value);
        await log.CommitAsync(unit, ct);
        (_next, _end) = (start, start + Block);
    }
}
