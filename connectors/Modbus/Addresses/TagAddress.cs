using System.Globalization;
using IotGateway.Connectors.Modbus.Protocol;

namespace IotGateway.Connectors.Modbus.Addresses;

/// <summary>
/// Where a tag is: area, zero-based address as on the wire, and a bit within the register. Written <c>holding:100</c>,
/// <c>input:7</c>, <c>coil:3</c>, <c>discrete:3</c>, <c>holding:100.3</c> (bit 3, 0 = least significant), or in the classic
/// notation <c>40101</c> / <c>400101</c>, whose first digit is the area and whose rest always counts from one.
/// </summary>
/// <param name="Area">Area.</param>
/// <param name="Offset">Zero-based address.</param>
/// <param name="Bit">Bit within a register, or null.</param>
internal readonly record struct TagAddress(Area Area, int Offset, int? Bit)
{
    /// <summary>Reads an address; on failure <paramref name="error"/> says what is wrong and what would be right.</summary>
    /// <param name="text">As written.</param>
    /// <param name="oneBased">Whether numbers after an area's name count from one.</param>
    /// <param name="address">The address.</param>
    /// <param name="error">Empty on success.</param>
    public static bool TryParse(string text, bool oneBased, out TagAddress address, out string error)
    {
        address = default;
        error = "";
        var rest = text.AsSpan();
        int? bit = null;
        if (rest.IndexOf('.') is >= 0 and var dot)
        {
            if (!int.TryParse(rest[(dot + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var b) || b > 15)
            {
                error = $"'{text}': the bit after the dot is 0 to 15, 0 being the least significant.";
                return false;
            }
            bit = b;
            rest = rest[..dot];
        }
        Area area;
        int first;
        if (rest.IndexOf(':') is >= 0 and var colon)
        {
            if (!TryArea(rest[..colon], out area))
            {
                error = $"'{text}': unknown area '{rest[..colon]}'; there are holding, input, coil and discrete.";
                return false;
            }
            rest = rest[(colon + 1)..];
            first = oneBased ? 1 : 0;
        }
        else if (rest.Length is 5 or 6 && TryClassicArea(rest[0], out area))
        {
            rest = rest[1..];
            first = 1;
        }
        else
        {
            error = $"'{text}' is no address; write holding:100, input:100, coil:100, discrete:100, or 40101.";
            return false;
        }
        if (!int.TryParse(rest, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number < first || number - first >= Limits.Addresses)
        {
            error = $"'{text}': the number is {first} to {Limits.Addresses - 1 + first}.";
            return false;
        }
        if (bit is not null && area.IsBits())
        {
            error = $"'{text}': a {(area == Area.Coil ? "coil" : "discrete input")} is a single bit already; leave out the dot.";
            return false;
        }
        address = new(area, number - first, bit);
        return true;
    }

    static bool TryArea(ReadOnlySpan<char> name, out Area area)
    {
        (var known, area) = name switch
        {
            "holding" => (true, Area.Holding),
            "input" => (true, Area.Input),
            "coil" => (true, Area.Coil),
            "discrete" => (true, Area.Discrete),
            _ => (false, default),
        };
        return known;
    }

    // The classic notation: 0xxxx coils, 1xxxx discrete inputs, 3xxxx input registers, 4xxxx holding registers.
    static bool TryClassicArea(char digit, out Area area)
    {
        (var known, area) = digit switch
        {
            '0' => (true, Area.Coil),
            '1' => (true, Area.Discrete),
            '3' => (true, Area.Input),
            '4' => (true, Area.Holding),
            _ => (false, default),
        };
        return known;
    }

    /// <summary>In the zero-based notation.</summary>
    public override string ToString()
        => string.Create(CultureInfo.InvariantCulture, $"{Area.ToString().ToLowerInvariant()}:{Offset}{(Bit is null ? "" : "." + Bit)}");
}
