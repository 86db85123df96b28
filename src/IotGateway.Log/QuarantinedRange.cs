namespace IotGateway.Log;

/// <summary>Data that was durable once and could not be read at a start: set aside, never silently dropped.</summary>
/// <param name="FirstSequence">First frame of the write-ahead log that is missing.</param>
/// <param name="LastSequence">Last one.</param>
/// <param name="Topic">Topic with a hole because of it; null when no hole is known.</param>
/// <param name="Partition">Its partition; -1 when no hole is known.</param>
/// <param name="FromOffset">First offset of the hole.</param>
/// <param name="ToOffset">Offset after the hole.</param>
public sealed record QuarantinedRange(
    long FirstSequence, long LastSequence, string? Topic = null, int Partition = -1, long FromOffset = -1, long ToOffset = -1);
