using System.Formats.Asn1;
using System.Globalization;
using System.Text;

namespace IotGateway.Broker.Security.Tls;

/// <summary>
/// A certificate's subject as text, exactly as Kafka writes it in a principal: RFC 2253 as Java has it, which also escapes '=' and '#'
/// anywhere in a value. ACLs made for a Kafka broker then fit. Stateless.
/// </summary>
internal static class DistinguishedName
{
    const string Escaped = ",=+<>#;\"\\";

    /// <exception cref="AsnContentException">It is no name.</exception>
    public static string Format(ReadOnlyMemory<byte> name)
    {
        var parts = new List<string>();
        for (var sequence = new AsnReader(name, AsnEncodingRules.DER).ReadSequence(); sequence.HasData;)
        {
            var attributes = new List<string>();
            for (var set = sequence.ReadSetOf(skipSortOrderValidation: true); set.HasData;) attributes.Add(Attribute(set.ReadSequence()));
            parts.Add(string.Join('+', attributes));
        }
        parts.Reverse(); // RFC 2253 §2.1: the last one first
        return string.Join(',', parts);
    }

    static string Attribute(AsnReader attribute)
    {
        var type = attribute.ReadObjectIdentifier();
        var encoded = attribute.ReadEncodedValue();
        return Keyword(type) is { } keyword && Text(encoded) is { } text ? $"{keyword}={Escape(text)}" : $"{Keyword(type) ?? type}=#{Convert.ToHexStringLower(encoded.Span)}";
    }

    // RFC 2253 §2.3
    static string? Keyword(string type) => type switch
    {
        "2.5.4.3" => "CN",
        "2.5.4.6" => "C",
        "2.5.4.7" => "L",
        "2.5.4.8" => "ST",
        "2.5.4.9" => "STREET",
        "2.5.4.10" => "O",
        "2.5.4.11" => "OU",
        "0.9.2342.19200300.100.1.25" => "DC",
        "0.9.2342.19200300.100.1.1" => "UID",
        _ => null,
    };

    static string? Text(ReadOnlyMemory<byte> encoded)
    {
        var reader = new AsnReader(encoded, AsnEncodingRules.DER);
        var tag = reader.PeekTag();
        return tag.TagClass != TagClass.Universal ? null : (UniversalTagNumber)tag.TagValue switch
        {
            UniversalTagNumber.UTF8String or UniversalTagNumber.PrintableString or UniversalTagNumber.IA5String or UniversalTagNumber.BMPString or UniversalTagNumber.T61String
                => reader.ReadCharacterString((UniversalTagNumber)tag.TagValue),
            _ => null,
        };
    }

    static string Escape(string value)
    {
        var (first, last) = (value.Length - value.TrimStart(' ').Length, value.TrimEnd(' ').Length);
        var text = new StringBuilder();
        for (var i = 0; i < value.Length; i++)
        {
            if (Escaped.Contains(value[i], StringComparison.Ordinal) || (value[i] == ' ' && (i < first || i >= last))) text.Append('\\');
            if (value[i] == '\0') text.Append(CultureInfo.InvariantCulture, $"\\00");
            else text.Append(value[i]);
        }
        return text.ToString();
    }
}
