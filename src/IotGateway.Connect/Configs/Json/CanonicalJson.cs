using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace IotGateway.Connect.Configs.Json;

/// <summary>Writes nodes back as JSON: canonically (keys in ordinal order, no white space) to compare contents, or as written to show them.</summary>
internal static class CanonicalJson
{
    /// <summary>SHA-256 of the canonical form, 32 hexadecimal digits of it. <c>$schema</c> at the root does not count.</summary>
    public static string Hash(ConfigNode root)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { SkipValidation = true }))
            WriteSorted(writer, root, isRoot: true);
        return Convert.ToHexStringLower(SHA256.HashData(buffer.GetBuffer().AsSpan(0, (int)buffer.Length)).AsSpan(0, 16));
    }

    static void WriteSorted(Utf8JsonWriter writer, ConfigNode node, bool isRoot = false)
    {
        switch (node.Kind)
        {
            case NodeKind.Object:
                writer.WriteStartObject();
                foreach (var member in node.Members.OrderBy(m => m.Name, StringComparer.Ordinal))
                {
                    if (isRoot && member.Name == "$schema") continue;
                    writer.WritePropertyName(member.Name);
                    WriteSorted(writer, member.Value);
                }
                writer.WriteEndObject();
                break;
            case NodeKind.List:
                writer.WriteStartArray();
                foreach (var item in node.Items) WriteSorted(writer, item);
                writer.WriteEndArray();
                break;
            default:
                WriteScalar(writer, node, node.Text);
                break;
        }
    }

    /// <summary>Writes a scalar with another text for strings.</summary>
    public static void WriteScalar(Utf8JsonWriter writer, ConfigNode node, string text)
    {
        if (node.Kind == NodeKind.String) writer.WriteStringValue(text);
        else writer.WriteRawValue(node.Text, skipInputValidation: true);
    }

    /// <summary>Indented, characters unescaped: for people.</summary>
    public static string Write(Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, NewLine = "\n" }))
            write(writer);
        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }
}
