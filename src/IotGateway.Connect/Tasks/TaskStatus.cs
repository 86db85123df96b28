namespace IotGateway.Connect.Tasks;

/// <summary>A task's state at one moment. Replaced as a whole.</summary>
sealed record TaskStatus(RunState State, DateTimeOffset Since, int Attempt = 0, DateTimeOffset? NextTry = null, string? LastError = null, DateTimeOffset? LastErrorAt = null);
