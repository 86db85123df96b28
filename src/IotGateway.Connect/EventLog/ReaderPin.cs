namespace IotGateway.Connect.EventLog;

/// <summary>A reader whose unread records are not to be deleted, neither by retention nor to make space, while they are younger than a time.</summary>
/// <param name="Consumer">Its name, as given to <see cref="IEventLog.Read"/>.</param>
/// <param name="Filter">The topics it reads.</param>
/// <param name="MaxAge">How long a record is held at most.</param>
public sealed record ReaderPin(string Consumer, Func<string, bool> Filter, TimeSpan MaxAge);
