using System.Buffers.Binary;
using IotGateway.Log.Bytes;

namespace IotGateway.Log.Records.Packers;

/// <summary>Packs a batch anew where its topic wants another compression. Offsets, times, producer and sequences stay. Stateless.</summary>
static class BatchPacker
{
    const int CompressionBits = 7;

    /// <summary>The batches as the topic wants them; the very same memory where they are so already.</summary>
    /// <param name="batches">Whole, checked batches, back to back.</param>
    /// <param name="packing">What the topic wants.</param>
    /// <exception cref="InvalidDataException">A batch cannot be opened.</exception>
    public static ReadOnlyMemory<byte> Pack(ReadOnlyMemory<byte> batches, Packing packing)
    {
        if (AllAre(batches.Span, packing.Compression)) return batches;
        var output = new ByteWriter(batches.Length / 2 + RecordBatch.HeaderSize);
        for (; !batches.IsEmpty; batches = batches[new RecordBatch(batches.Span).Size..]) One(batches[..new RecordBatch(batches.Span).Size], packing, output);
        return output.Written;
    }

    static bool AllAre(ReadOnlySpan<byte> batches, Compression compression)
    {
        for (; !batches.IsEmpty; batches = batches[new RecordBatch(batches).Size..])
            if (new RecordBatch(batches).Compression != compression) return false;
        return true;
    }

    static void One(ReadOnlyMemory<byte> bytes, Packing packing, ByteWriter output)
    {
        var batch = new RecordBatch(bytes.Span);
        if (batch.Compression == packing.Compression)
        {
            output.Raw(bytes.Span);
            return;
        }
        var at = output.Length;
        output.Raw(bytes.Span[..RecordBatch.HeaderSize]);
        Compressor.Pack(packing, Decompressor.Open(batch.Compression, bytes[RecordBatch.HeaderSize..], BatchCheck.MaxOpened), output);
        var packed = output.At(at, output.Length - at);
        BinaryPrimitives.WriteInt32BigEndian(packed[RecordBatch.LengthAt..], packed.Length - RecordBatch.LengthOverhead);
        BinaryPrimitives.WriteInt16BigEndian(packed[RecordBatch.AttributesAt..], (short)((batch.Attributes & ~CompressionBits) | (int)packing.Compression));
        RecordBatch.Seal(packed);
    }
}
