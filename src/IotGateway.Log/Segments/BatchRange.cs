using IotGateway.Log.Records;

namespace IotGateway.Log.Segments;

/// <summary>Which of the batches lying back to back a reader gets. Stateless.</summary>
static class BatchRange
{
    /// <summary>
    /// The whole batches from the one that holds <paramref name="offset"/> (or the first after it), below <paramref name="end"/>, at most
    /// <paramref name="maxBytes"/> but at least one.
    /// </summary>
    public static (int From, int To) Of(ReadOnlySpan<byte> bytes, long offset, long end, int maxBytes)
    {
        int at = 0, from = -1;
        while (bytes.Length - at >= RecordBatch.HeaderSize)
        {
            var batch = new RecordBatch(bytes[at..]);
            if (!batch.IsWhole || batch.BaseOffset >= end) break;
            if (from < 0 && batch.LastOffset >= offset) from = at;
            if (from >= 0 && at > from && at + batch.Size - from > maxBytes) break;
            at += batch.Size;
        }
        return from < 0 ? (at, at) : (from, at);
    }
}
