namespace IotGateway.Sdk.Commands;

/// <summary>A connector that can act on a device.</summary>
public interface ICommandTarget : IConnector
{
    /// <summary>
    /// Sends one command. The runtime has made every check and will do the read-back; the connector calls
    /// <see cref="ISendGate.EnterAsync"/> just before the first byte that could move the machine and sends nothing if it says no.
    /// </summary>
    /// <remarks>
    /// Serial per device, concurrent across devices, concurrent with reading. An exception before the gate means
    /// <c>failed, sent:false</c>; after it, <c>unknown</c>. <paramref name="ct"/> cancels only until the gate.
    /// </remarks>
    ValueTask<CommandResult> ExecuteAsync(Command command, ISendGate gate, CancellationToken ct);
}

/// <summary>The last checks and the durable intent, just before the first byte.</summary>
public interface ISendGate
{
    /// <summary>True once the intent is on disk and everything still permits sending; false: do not send, return <see cref="CommandResult.NotSent"/>.</summary>
    ValueTask<bool> EnterAsync();
}
