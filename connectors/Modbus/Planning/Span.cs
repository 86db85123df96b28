namespace IotGateway.Connectors.Modbus.Planning;

/// <summary>Registers or bits that belong together.</summary>
/// <param name="Start">First address.</param>
/// <param name="Length">How many; at least 1.</param>
internal readonly record struct Span(int Start, int Length)
{
    /// <summary>First address after it.</summary>
    public int End => Start + Length;
}
