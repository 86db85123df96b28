using System.Globalization;

namespace IotGateway.Sdk.Config;

/// <summary>A size in bytes, written <c>"64MiB"</c>, <c>"20GB"</c> or a plain number.</summary>
/// <param name="Bytes">The size.</param>
public readonly record struct ByteSize(long Bytes) : IComparable<ByteSize>
{
    static readonly (string Suffix, long Factor)[] Units =
    [
        ("KiB", 1L << 10), ("MiB", 1L << 20), ("GiB", 1L << 30), ("TiB", 1L << 40),
        ("kB", 1_000), ("KB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000), ("B", 1),
    ];

    /// <summary>Reads a size; false when the text is none, above 8 EiB, or no whole number of bytes.</summary>
    public static bool TryParse(string text, out ByteSize size)
    {
        var (suffix, factor) = Units.FirstOrDefault(u => text.EndsWith(u.Suffix, StringComparison.Ordinal));
        var number = suffix is null ? text : text[..^suffix.Length].TrimEnd();
        if (decimal.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var n)
            && (suffix is null ? 1 : factor) is var unit && n <= long.MaxValue / (decimal)unit && n * unit % 1 == 0)
        {
            size = new((long)(n * unit));
            return true;
        }
        size = default;
        return false;
    }

    /// <inheritdoc/>
    public int CompareTo(ByteSize other) => Bytes.CompareTo(other.Bytes);

    /// <summary>The shortest exact notation in binary units.</summary>
    public override string ToString()
    {
        for (var i = 3; i >= 0; i--)
            if (Bytes != 0 && Bytes % Units[i].Factor == 0)
                return (Bytes / Units[i].Factor).ToString(CultureInfo.InvariantCulture) + Units[i].Suffix;
        return Bytes.ToString(CultureInfo.InvariantCulture) + "B";
    }

    /// <summary>Smaller.</summary>
    public static bool operator <(ByteSize a, ByteSize b) => a.Bytes < b.Bytes;
    /// <summary>Greater.</summary>
    public static bool operator >(ByteSize a, ByteSize b) => a.Bytes > b.Bytes;
    /// <summary>Smaller or equal.</summary>
    public static bool operator <=(ByteSize a, ByteSize b) => a.Bytes <= b.Bytes;
    /// <summary>Greater or equal.</summary>
    public static bool operator >=(ByteSize a, ByteSize b) => a.Bytes >= b.Bytes;
}
