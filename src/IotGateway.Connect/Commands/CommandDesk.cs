namespace IotGateway.Connect.Commands;

/// <summary>The local counter for commands: hands them in as any client would, shows outcomes, holds the kill switch. Thread-safe.</summary>
public sealed class CommandDesk
{
    internal CommandDesk(Tasks.Shared shared, Configs.CommandsConfig config, Func<string, Tasks.ConnectorHost?> find) { }
    internal Task StartAsync(CancellationToken ct) => _started = Task.CompletedTask.WaitAsync(ct);
    internal Task StopAsync() => _started;
    Task _started = Task.CompletedTask;

    /// <summary>Writes a command to <c>gateway.commands</c>, durably, and waits for its final outcome (the outcome record's JSON) or null when <paramref name="wait"/> passes.</summary>
    /// <param name="json">The command as in the topic; must carry an <c>id</c>.</param>
    /// <param name="wait">How long to wait; zero: not at all.</param>
    /// <param name="ct">Cancels waiting, not the command.</param>
    public Task<string?> SubmitAsync(ReadOnlyMemory<byte> json, TimeSpan wait, CancellationToken ct) => throw new NotSupportedException();

    /// <summary>Whether the kill switch is engaged: every command is refused.</summary>
    public bool Killed => throw new NotSupportedException();

    /// <summary>Engages the kill switch: in memory at once, then on disk.</summary>
    public Task EngageKillAsync(string by, CancellationToken ct) => throw new NotSupportedException();

    /// <summary>Releases it, on disk first.</summary>
    public Task ReleaseKillAsync(string by, CancellationToken ct) => throw new NotSupportedException();
}
