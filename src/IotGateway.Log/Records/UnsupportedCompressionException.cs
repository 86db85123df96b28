namespace IotGateway.Log.Records;

/// <summary>This version cannot open batches of that compression; the bytes themselves are stored and served unharmed.</summary>
public sealed class UnsupportedCompressionException(Compression compression)
    : NotSupportedException($"Records compressed with {compression} cannot be opened by this version.")
{
    /// <summary>The compression met.</summary>
    public Compression Compression { get; } = compression;
}
