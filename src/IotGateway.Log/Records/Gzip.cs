using System.Buffers;
using System.IO.Compression;
using System.Runtime.InteropServices;

namespace IotGateway.Log.Records;

/// <summary>Gzip streams (RFC 1952), by the framework's decoder, which keeps its window of 32 KiB itself. Not thread-safe.</summary>
sealed class Gzip(ReadOnlyMemory<byte> input) : Unpacker
{
    readonly GZipStream _stream = Open(input);
    readonly byte[] _piece = ArrayPool<byte>.Shared.Rent(Bite / 2);

    public override bool Step(DecodedBytes output)
    {
        var got = _stream.Read(_piece);
        output.Add(_piece.AsSpan(0, got));
        return got > 0;
    }

    public override void Dispose()
    {
        _stream.Dispose();
        ArrayPool<byte>.Shared.Return(_piece);
        base.Dispose();
    }

    static GZipStream Open(ReadOnlyMemory<byte> input)
    {
        var bytes = MemoryMarshal.TryGetArray(input, out var segment) ? segment : new(input.ToArray());
        return new(new MemoryStream(bytes.Array!, bytes.Offset, bytes.Count, writable: false), CompressionMode.Decompress);
    }
}
