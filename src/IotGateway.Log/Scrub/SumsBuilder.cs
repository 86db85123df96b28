using IotGateway.Log.Records;

namespace IotGateway.Log.Scrub;

/// <summary>Checksums of a file that grows, block by block. Not thread-safe.</summary>
sealed class SumsBuilder
{
    readonly List<uint> _sums = [];
    uint _running = ~0u;

    /// <summary>Bytes taken so far.</summary>
    public long Length { get; private set; }

    public void Add(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var left = SegmentSums.Block - (int)(Length % SegmentSums.Block);
            var part = bytes[..Math.Min(left, bytes.Length)];
            _running = Crc32C.Continue(_running, part);
            Length += part.Length;
            if (part.Length == left) Close();
            bytes = bytes[part.Length..];
        }
    }

    /// <summary>The checksums of all; nothing may be added afterwards.</summary>
    /// <param name="index">Checksum of the offset index.</param>
    /// <param name="timeIndex">Checksum of the time index.</param>
    public SegmentSums Finish(uint index, uint timeIndex)
    {
        if (Length % SegmentSums.Block > 0) Close();
        return new(Length, index, timeIndex, [.. _sums]);
    }

    void Close()
    {
        _sums.Add(~_running);
        _running = ~0u;
    }
}
