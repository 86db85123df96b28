namespace IotGateway.Log;

/// <summary>Bytes read from a partition; they stay valid, nothing is to be given back.</summary>
/// <param name="Batches">Whole record batches, back to back; the first may start below the offset asked for.</param>
/// <param name="HighWatermark">As of the reading.</param>
/// <param name="LogStart">As of the reading.</param>
/// <param name="LastStableOffset">As of the reading.</param>
public readonly record struct LogSlice(ReadOnlyMemory<byte> Batches, long HighWatermark, long LogStart, long LastStableOffset);
