using Google.Protobuf;

namespace IotGateway.Connectors.Sparkplug.Wire;

/// <summary>
/// Looks through a payload before it is parsed, because a parsed message takes far more memory than its two bytes on the wire: how
/// many messages there are in it and how deep they nest. Allocates nothing per message. Pure.
/// </summary>
static class PayloadGuard
{
    /// <summary>Most metrics, rows, values, properties and the like in one payload: about 20 MB once parsed.</summary>
    public const int MostMessages = 100_000;

    /// <summary>Templates in templates, property sets in property sets.</summary>
    public const int MostLevels = 16;

    // Field numbers that hold messages, by kind of message (Sparkplug 3.0 §6.4).
    enum Kind { Payload, Metric, MetaData, PropertySet, PropertySetList, PropertyValue, DataSet, Row, Leaf, Template }

    /// <summary>Checks; a payload that is no protobuf at all may pass and fail in parsing.</summary>
    /// <exception cref="PayloadException">Too many, or too deep.</exception>
    public static void Check(ReadOnlySpan<byte> payload)
    {
        var messages = 0;
        Walk(payload, Kind.Payload, 0, ref messages);
    }

    static void Walk(ReadOnlySpan<byte> bytes, Kind kind, int level, ref int messages)
    {
        if (level > MostLevels) throw new PayloadException($"The payload nests deeper than {MostLevels} levels.");
        while (!bytes.IsEmpty)
        {
            if (!TryVarint(ref bytes, out var tag)) return;
            switch ((WireFormat.WireType)(tag & 7))
            {
                case WireFormat.WireType.Varint:
                    // An unpacked list of numbers, or of nothing, takes an entry of its own, too.
                    if (!TryVarint(ref bytes, out _)) return;
                    break;
                case WireFormat.WireType.Fixed64:
                    if (bytes.Length < 8) return;
                    bytes = bytes[8..];
                    break;
                case WireFormat.WireType.Fixed32:
                    if (bytes.Length < 4) return;
                    bytes = bytes[4..];
                    break;
                case WireFormat.WireType.LengthDelimited:
                    if (!TryVarint(ref bytes, out var length) || length > (ulong)bytes.Length) return;
                    var inner = bytes[..(int)length];
                    bytes = bytes[(int)length..];
                    var child = Child(kind, (int)(tag >> 3));
                    // Strings of lists count like messages; those of other fields replace each other.
                    if (child is null) break;
                    if (++messages > MostMessages) throw new PayloadException($"The payload has more than {MostMessages} metrics, rows, values and properties.");
                    if (child != Kind.Leaf) Walk(inner, child.Value, level + 1, ref messages);
                    break;
                default:
                    return; // groups, which the schema does not have: parsing decides
            }
        }
    }

    static Kind? Child(Kind kind, int field) => (kind, field) switch
    {
        (Kind.Payload, 2) => Kind.Metric,
        (Kind.Metric, 8) => Kind.MetaData,
        (Kind.Metric, 9) => Kind.PropertySet,
        (Kind.Metric, 17) => Kind.DataSet,
        (Kind.Metric, 18) => Kind.Template,
        (Kind.PropertySet, 1) => Kind.Leaf,
        (Kind.PropertySet, 2) => Kind.PropertyValue,
        (Kind.PropertySetList, 1) => Kind.PropertySet,
        (Kind.PropertyValue, 9) => Kind.PropertySet,
        (Kind.PropertyValue, 10) => Kind.PropertySetList,
        (Kind.DataSet, 2) => Kind.Leaf,
        (Kind.DataSet, 4) => Kind.Row,
        (Kind.Row, 1) => Kind.Leaf,
        (Kind.Template, 2) => Kind.Metric,
        (Kind.Template, 3) => Kind.Leaf,
        _ => null,
    };

    static bool TryVarint(ref ReadOnlySpan<byte> bytes, out ulong value)
    {
        value = 0;
        for (var i = 0; i < bytes.Length && i < 10; i++)
        {
            value |= (ulong)(bytes[i] & 0x7f) << (7 * i);
            if (bytes[i] >= 0x80) continue;
            bytes = bytes[(i + 1)..];
            return true;
        }
        return false;
    }
}
