namespace IotGateway.Log.Segments;

/// <summary>
/// Appends that may be read but are not in a segment yet (their frame is not synced). The bytes are the frame's own buffer: readers copy under the
/// lock, and the applier gives the buffer back only after taking the appends out.
/// </summary>
sealed class MemoryTail
{
    readonly Lock _gate = new();
    readonly Queue<Chunk> _chunks = [];

    public void Add(long nextOffset, ReadOnlyMemory<byte> batches)
    {
        lock (_gate) _chunks.Enqueue(new(nextOffset, batches));
    }

    /// <summary>Takes out what the segments hold by now.</summary>
    public void RemoveThrough(long nextOffset)
    {
        lock (_gate)
        {
            while (_chunks.TryPeek(out var chunk) && chunk.NextOffset <= nextOffset) _chunks.Dequeue();
        }
    }

    /// <summary>A copy of the batches of one append from the one holding the offset on; null when it is not here.</summary>
    public byte[]? Copy(long offset, int maxBytes)
    {
        lock (_gate)
        {
            foreach (var (next, batches) in _chunks)
            {
                if (offset >= next) continue;
                var (from, to) = BatchRange.Of(batches.Span, offset, long.MaxValue, maxBytes);
                return batches[from..to].ToArray();
            }
            return null;
        }
    }

    readonly record struct Chunk(long NextOffset, ReadOnlyMemory<byte> Batches);
}
