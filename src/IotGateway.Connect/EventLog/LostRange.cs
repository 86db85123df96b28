namespace IotGateway.Connect.EventLog;

/// <summary>Records that were durable once and could not be read back at this start: a hole in a partition's offsets.</summary>
/// <param name="Topic">The topic.</param>
/// <param name="Partition">The partition.</param>
/// <param name="FromOffset">First offset missing.</param>
/// <param name="ToOffset">Offset after the last one missing.</param>
/// <param name="From">Time of the last record before, UTC; of the start where there is none.</param>
/// <param name="To">Time of the first record after, UTC; of the start where there is none.</param>
public sealed record LostRange(string Topic, int Partition, long FromOffset, long ToOffset, DateTime From, DateTime To);
