namespace IotGateway.Connect.Tasks;

/// <summary>
/// State of a task, and of a connector as the worst of its tasks:
/// <c>Stopped → Connecting → Running ⇄ Paused</c>, <c>→ Retrying → Connecting</c>, <c>→ Failed</c>.
/// </summary>
public enum RunState
{
    /// <summary>Not wanted to run.</summary>
    Stopped,

    /// <summary>Being opened.</summary>
    Connecting,

    /// <summary>Data can flow.</summary>
    Running,

    /// <summary>Paused by an operator: remote sessions are kept, nothing is read or written, commands are refused.</summary>
    Paused,

    /// <summary>Failed; waiting for the next attempt.</summary>
    Retrying,

    /// <summary>A human is needed; restart it after the cause is removed.</summary>
    Failed,
}
