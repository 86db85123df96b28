namespace IotGateway.Sdk.Commands;

/// <summary>What the device said.</summary>
/// <param name="Kind">Accepted, refused by the device, no answer, or not sent.</param>
/// <param name="Code">The device's own code, e.g. <c>modbus:ok</c>, <c>modbus:exception-2</c>.</param>
/// <param name="Reason">In words.</param>
public sealed record CommandResult(CommandResultKind Kind, string? Code = null, string? Reason = null)
{
    /// <summary>The device accepted it.</summary>
    public static CommandResult Done(string? code = null) => new(CommandResultKind.Done, code);

    /// <summary>The device refused it.</summary>
    public static CommandResult Failed(string? code, string reason) => new(CommandResultKind.Failed, code, reason);

    /// <summary>It was sent and no answer came: nobody knows.</summary>
    public static CommandResult Unknown(string reason) => new(CommandResultKind.Unknown, null, reason);

    /// <summary>The gate said no.</summary>
    public static CommandResult NotSent { get; } = new(CommandResultKind.NotSent);
}

/// <summary>Kinds of <see cref="CommandResult"/>.</summary>
public enum CommandResultKind
{
    /// <summary>The device accepted it.</summary>
    Done,

    /// <summary>The device refused it.</summary>
    Failed,

    /// <summary>Sent, no answer.</summary>
    Unknown,

    /// <summary>The gate said no; no byte was sent.</summary>
    NotSent,
}
