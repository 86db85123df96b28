namespace IotGateway.Log.Records.Packers;

/// <summary>How a topic's batches are packed (<c>compression.type</c> and the level of that type).</summary>
/// <param name="Compression">Compression.</param>
/// <param name="Level">How hard: gzip -1 or 1 to 9, lz4 1 to 17, zstd -131072 to 22; others have none.</param>
public readonly record struct Packing(Compression Compression, int Level);
