using IotGateway.Log.Bytes;

namespace IotGateway.Log.Tables;

/// <summary>Key of a range of records in the log's own tables: topic id (16 bytes), partition (i32), first offset (i64).</summary>
static class RangeKey
{
    public static byte[] Of(Guid topic, int partition, long from)
    {
        var key = new ByteWriter(28);
        key.Id(topic);
        key.Int(partition);
        key.Long(from);
        return key.Written.ToArray();
    }
}
