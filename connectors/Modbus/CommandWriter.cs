using IotGateway.Connectors.Modbus.Client;
using IotGateway.Connectors.Modbus.Model;
using IotGateway.Connectors.Modbus.Protocol;
using IotGateway.Connectors.Modbus.Values;
using IotGateway.Sdk.Commands;
using IotGateway.Sdk.Data;

namespace IotGateway.Connectors.Modbus;

/// <summary>
/// Writes one value, ahead of everything else on the bus, and never twice. Before the gate everything that can fail without the
/// device is done: the value is converted, the bus is ours, the connection stands. After it one request is sent, and what is not
/// answered is unknown. Thread-safe.
/// </summary>
internal sealed class CommandWriter(ModbusModel model, Func<EndpointModel, Bus> bus)
{
    /// <summary>Executes a command.</summary>
    /// <exception cref="Exception">Before the gate: not sendable; the message says why.</exception>
    public async ValueTask<CommandResult> ExecuteAsync(Command command, Tag tag, ISendGate gate, CancellationToken ct)
    {
        if (!model.TryFind(tag, out var endpoint, out var point)) throw new InvalidOperationException($"'{tag}' is not configured, or switched off.");
        if (!point.IsWritable) throw new InvalidOperationException($"'{tag}' has no write rule.");
        var request = RequestFor(point, command.Value);
        var to = bus(endpoint);
        var slot = await to.TakeAsync(Priority.Command, ct).ConfigureAwait(false);
        try
        {
            var connection = await to.ConnectAsync(patient: false, ct).ConfigureAwait(false);
            ct.ThrowIfCancellationRequested();
            if (!await gate.EnterAsync().ConfigureAwait(false)) return CommandResult.NotSent;
            return Judge(await slot.RunAsync(connection, request, model.Config.Timeout, CancellationToken.None).ConfigureAwait(false));
        }
        finally
        {
            to.Return(slot);
        }
    }

    static CommandResult Judge(ExchangeResult result) => result switch
    {
        { Status: ExchangeStatus.Ok } => CommandResult.Done(result.Code),
        // AP §7: 5 is "accepted, still working"; behind a gateway 11 means the serial request was sent and no answer came back.
        { Exception: ExceptionCode.Acknowledge or ExceptionCode.GatewayTargetFailedToRespond } => new(CommandResultKind.Unknown, result.Code, Sentence(result)),
        { Status: ExchangeStatus.Exception } => CommandResult.Failed(result.Code, Sentence(result)),
        _ => new(CommandResultKind.Unknown, result.Code, Sentence(result)),
    };

    static string Sentence(ExchangeResult result) => char.ToUpperInvariant(result.Words[0]) + result.Words[1..] + ".";

    /// <summary>The request that writes a value: 5 or 15 for coils, 22 for one bit of a register, 6 for one register, 16 for several.</summary>
    internal static Request RequestFor(TagPoint point, Value value)
    {
        var (unit, at) = (point.Device.Unit, point.Span.Start);
        Request request;
        if (point.Area == Area.Coil)
        {
            var on = Conversion.EncodeBit(value);
            request = point.Device.MultipleWrites ? Request.WriteCoils(unit, at, 1, new byte[] { on ? (byte)1 : (byte)0 }) : Request.WriteCoil(unit, at, on);
        }
        else if (point.Conversion.Bit is { } bit)
        {
            var position = point.Conversion.Order.BytesSwapped ? bit ^ 8 : bit;
            request = Request.MaskWrite(unit, at, (ushort)~(1 << position), Conversion.EncodeBit(value) ? (ushort)(1 << position) : (ushort)0);
        }
        else
        {
            var words = point.Conversion.Encode(value);
            request = words.Length == 2 && !point.Device.MultipleWrites ? Request.WriteRegister(unit, at, words) : Request.WriteRegisters(unit, at, words);
        }
        return request with { Broadcast = point.Device.Broadcasts };
    }
}
