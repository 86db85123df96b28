using IotGateway.Log.Records.Zstandard;

namespace IotGateway.Log.Records;

/// <summary>
/// Decodes what one batch holds, a piece at a time, so that whoever reads decides how much of it there is at once. Not thread-safe.
/// </summary>
abstract class Unpacker : IDisposable
{
    /// <summary>What a step puts out, more or less; what stands in the input as it is comes in one step.</summary>
    protected const int Bite = 64 << 10;

    /// <exception cref="UnsupportedCompressionException">No decoder for it.</exception>
    public static Unpacker Of(Compression compression, ReadOnlyMemory<byte> input) => compression switch
    {
        Compression.Gzip => new Gzip(input),
        Compression.Snappy => new Snappy(input),
        Compression.Lz4 => new Lz4(input),
        Compression.Zstd => new ZstdFrame(input),
        _ => throw new UnsupportedCompressionException(compression),
    };

    /// <summary>Decodes on; false at the end.</summary>
    /// <exception cref="InvalidDataException">Malformed, or larger than the output's cap.</exception>
    /// <exception cref="WindowException">It refers further back than the output keeps.</exception>
    public abstract bool Step(DecodedBytes output);

    public virtual void Dispose()
    {
    }
}
