namespace IotGateway.Log;

/// <summary>A record's place and time.</summary>
public readonly record struct OffsetAtTime(long Offset, long Timestamp, int LeaderEpoch);
