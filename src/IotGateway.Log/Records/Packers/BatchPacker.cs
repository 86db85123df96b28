using System.Buffers.Binary;
using IotGateway.Log.Bytes;

namespace IotGateway.Log.Records.Packers;

/// <summary>
/// Packs a batch anew where its topic wants another compression. Offsets, times, producer and sequences stay. A batch that opens to more than may be held at
/// once (<see cref="Decompressor.Memory"/>) stays as it came, which is smaller than most encoders would make it. Stateless.
/// </summary>
static class BatchPacker
{
    const int CompressionBits = 7;

    /// <summary>The batches as the topic wants them; the very same memory where they are so already, null when one is larger than it may be.</summary>
    /// <param name="batches">Whole, checked batches, back to back.</param>
    /// <param name="packing">What the topic wants.</param>
    /// <param name="most">max.message.bytes.</param>
    /// <exception cref="InvalidDataException">A batch cannot be opened.</exception>
    public static ReadOnlyMemory<byte>? Pack(ReadOnlyMemory<byte> batches, Packing packing, int most)
    {
        if (AllAre(batches.Span, packing.Compression)) return batches;
        var output = new ByteWriter(batches.Length / 2 + RecordBatch.HeaderSize);
        for (; !batches.IsEmpty; batches = batches[new RecordBatch(batches.Span).Size..])
            if (!One(batches[..new RecordBatch(batches.Span).Size], packing, most, output)) return null;
        return output.Written;
    }

    static bool AllAre(ReadOnlySpan<byte> batches, Compression compression)
    {
        for (; !batches.IsEmpty; batches = batches[new RecordBatch(batches).Size..])
            if (new RecordBatch(batches).Compression != compression) return false;
        return true;
    }

    static bool One(ReadOnlyMemory<byte> bytes, Packing packing, int most, ByteWriter output)
    {
        var batch = new RecordBatch(bytes.Span);
        var cap = packing.Compression == Compression.None ? most : Decompressor.Memory(bytes.Length);
        if (batch.Compression == packing.Compression || !Decompressor.TryOpen(batch.Compression, bytes[RecordBatch.HeaderSize..], (int)Math.Min(cap, BatchCheck.MaxOpened), out var records))
        {
            output.Raw(bytes.Span);
            return batch.Compression == packing.Compression ? bytes.Length <= most : packing.Compression != Compression.None;
        }
        var at = output.Length;
        output.Raw(bytes.Span[..RecordBatch.HeaderSize]);
        Compressor.Pack(packing, records, output);
        var packed = output.At(at, output.Length - at);
        BinaryPrimitives.WriteInt32BigEndian(packed[RecordBatch.LengthAt..], packed.Length - RecordBatch.LengthOverhead);
        BinaryPrimitives.WriteInt16BigEndian(packed[RecordBatch.AttributesAt..], (short)((batch.Attributes & ~CompressionBits) | (int)packing.Compression));
        RecordBatch.Seal(packed);
        return packed.Length <= most;
    }
}
