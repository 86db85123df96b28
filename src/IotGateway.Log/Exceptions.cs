namespace IotGateway.Log;

/// <summary>The log has failed (an fsync failed, a write was refused); acknowledged data is safe on disk, the process must stop.</summary>
public sealed class LogFailedException(string message, Exception? inner = null) : IOException(message, inner);

/// <summary>No space is left but the reserve.</summary>
public sealed class LogFullException(string message) : IOException(message);

/// <summary>What the disk has spoilt cannot be read; it is being dealt with, and can be passed over soon.</summary>
public class LogSpoiltException(string message, Exception? inner = null) : IOException(message, inner);

/// <summary>Another process has the data directory.</summary>
public sealed class LogLockedException(string directory, Exception? inner = null)
    : IOException($"The data directory '{directory}' is in use by another gateway. Stop it, or give this one its own with --data.", inner);

/// <summary>There is a topic of that name.</summary>
public sealed class TopicExistsException(string name) : InvalidOperationException($"Topic '{name}' already exists.");

/// <summary>There is no such topic.</summary>
public sealed class UnknownTopicException(string name) : InvalidOperationException($"There is no topic '{name}'.");

/// <summary>The offset is below the log start or above the high watermark.</summary>
public sealed class OffsetOutOfRangeException(long offset, long start, long end)
    : InvalidOperationException($"Offset {offset} is outside {start}…{end}.");
