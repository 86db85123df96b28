using System.Collections.Concurrent;
using IotGateway.Connectors.Files.Config;

namespace IotGateway.Connectors.Files.Tail;

/// <summary>Keeps a few used batches for the next ones, so that steady reading allocates no buffers. Thread-safe: batches come back from the runtime's thread.</summary>
sealed class LineBatchPool(FilesConfig config, TimeProvider time)
{
    /// <summary>Room for content in an ordinary batch; only a longer line gets more.</summary>
    public const int BufferBytes = 256 << 10;

    const int Kept = 4;
    readonly ConcurrentQueue<LineBatch> _free = [];

    public LineBatch Rent() => _free.TryDequeue(out var batch) ? batch : new LineBatch(config, time, this);

    public void Return(LineBatch batch)
    {
        if (_free.Count < Kept) _free.Enqueue(batch);
    }
}
