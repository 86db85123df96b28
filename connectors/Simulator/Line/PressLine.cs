using System.Buffers.Binary;
using IotGateway.Connectors.Modbus.Protocol;

namespace IotGateway.Connectors.Simulator.Line;

/// <summary>
/// The presses, and their registers as Modbus sees them. Press n is unit n; any register not listed in README is exception 2.
/// Thread-safe: one lock for all, held for microseconds.
/// </summary>
internal sealed class PressLine(int presses, int seed)
{
    const int Measurements = 100, MeasurementCount = 22, Setpoints = 200, HighestSetpoint = 1500;

    /// <summary>Length of a step.</summary>
    public static readonly TimeSpan Step = TimeSpan.FromMilliseconds(50);

    readonly Lock _gate = new();
    readonly Press[] _presses = [.. Enumerable.Range(1, presses).Select(n => new Press(n, seed))];
    readonly List<string> _log = [];

    /// <summary>Lets one step pass; returns what the machines log, valid until the next call.</summary>
    public IReadOnlyList<string> Advance()
    {
        lock (_gate)
        {
            _log.Clear();
            foreach (var press in _presses) press.Advance(Step.TotalSeconds, _log);
            return _log;
        }
    }

    /// <summary>Does what a request asks. For reads, <paramref name="data"/> takes the reply's data bytes.</summary>
    public ExceptionCode Execute(in Request request, Span<byte> data)
    {
        // AP §7: for a unit that is not there a gateway answers with exception 11.
        if (request.Unit < 1 || request.Unit > _presses.Length) return ExceptionCode.GatewayTargetFailedToRespond;
        var press = _presses[request.Unit - 1];
        lock (_gate)
        {
            return request.Function switch
            {
                FunctionCode.ReadCoils => ReadBit(request, press.Enabled, data),
                FunctionCode.ReadDiscreteInputs => ReadBit(request, press.GuardClosed, data),
                FunctionCode.ReadHoldingRegisters => ReadRegisters(press, request, data, holding: true),
                FunctionCode.ReadInputRegisters => ReadRegisters(press, request, data, holding: false),
                FunctionCode.WriteSingleCoil or FunctionCode.WriteMultipleCoils => WriteCoil(press, request),
                FunctionCode.WriteSingleRegister or FunctionCode.WriteMultipleRegisters => WriteSetpoint(press, request),
                _ => ExceptionCode.IllegalFunction,
            };
        }
    }

    static ExceptionCode ReadBit(in Request request, bool bit, Span<byte> data)
    {
        if (request.Address != 0 || request.Quantity != 1) return ExceptionCode.IllegalDataAddress;
        data[0] = bit ? (byte)1 : (byte)0;
        return ExceptionCode.None;
    }

    static ExceptionCode ReadRegisters(Press press, in Request request, Span<byte> data, bool holding)
    {
        Span<byte> all = stackalloc byte[MeasurementCount * 2];
        var first = Measurements;
        var count = MeasurementCount;
        if (holding && request.Address >= Setpoints) (first, count) = (Setpoints, 2);
        if (request.Address < first || request.Address + request.Quantity > first + count) return ExceptionCode.IllegalDataAddress;
        if (first == Setpoints) WriteSetpoints(press, all);
        else WriteMeasurements(press, all);
        all.Slice((request.Address - first) * 2, request.Quantity * 2).CopyTo(data);
        return ExceptionCode.None;
    }

    static void WriteMeasurements(Press press, Span<byte> all)
    {
        all.Clear();
        BinaryPrimitives.WriteSingleBigEndian(all, (float)Math.Round(press.Temperature, 2));
        BinaryPrimitives.WriteSingleBigEndian(all[4..], (float)Math.Round(press.Pressure, 2));
        BinaryPrimitives.WriteUInt16BigEndian(all[8..], Tenths(press.Speed));
        BinaryPrimitives.WriteUInt32BigEndian(all[20..], press.Strokes);
        BinaryPrimitives.WriteUInt16BigEndian(all[40..], (ushort)press.Mode);
        BinaryPrimitives.WriteUInt16BigEndian(all[42..], (ushort)press.Alarms);
    }

    static void WriteSetpoints(Press press, Span<byte> all)
    {
        BinaryPrimitives.WriteUInt16BigEndian(all, Tenths(press.Setpoint));
        BinaryPrimitives.WriteUInt16BigEndian(all[2..], Tenths(press.SetpointActual));
    }

    static ExceptionCode WriteCoil(Press press, in Request request)
    {
        if (request.Address != 0 || request.Quantity != 1) return ExceptionCode.IllegalDataAddress;
        press.Enabled = request.Data.Span[0] != 0;
        return ExceptionCode.None;
    }

    static ExceptionCode WriteSetpoint(Press press, in Request request)
    {
        if (request.Address != Setpoints || request.Quantity != 1) return ExceptionCode.IllegalDataAddress;
        var tenths = BinaryPrimitives.ReadUInt16BigEndian(request.Data.Span);
        if (tenths > HighestSetpoint) return ExceptionCode.IllegalDataValue;
        press.Setpoint = tenths / 10.0;
        return ExceptionCode.None;
    }

    static ushort Tenths(double value) => (ushort)Math.Round(value * 10, MidpointRounding.AwayFromZero);
}
