using System.Text.Json;
using System.Text.RegularExpressions;
using IotGateway.Connect.Configs.Json;

namespace IotGateway.Connect.Configs.Secrets;

/// <summary>
/// Rewrites a configuration so that it can be shown: secret options, values of unknown keys (a misspelt "password") and passwords
/// inside addresses become <see cref="Hidden"/>; references to secrets stay, they are none themselves. Comments are lost.
/// </summary>
internal static partial class Masking
{
    /// <summary>As Kafka Connect writes it.</summary>
    public const string Hidden = "[hidden]";

    public static string Mask(string json, ConfigSchema schema)
    {
        var root = ConfigReader.Read("", json, new List<ConfigProblem>());
        return CanonicalJson.Write(writer =>
        {
            if (root is null) writer.WriteStringValue(Hidden);
            else WriteObject(writer, root, schema, isRoot: true);
        });
    }

    static void WriteObject(Utf8JsonWriter writer, ConfigNode node, ConfigSchema schema, bool isRoot = false)
    {
        if (node.Kind != NodeKind.Object)
        {
            writer.WriteStringValue(Hidden);
            return;
        }
        writer.WriteStartObject();
        foreach (var member in node.Members)
        {
            writer.WritePropertyName(member.Name);
            if (schema.Find(member.Name) is { } option) Write(writer, member.Value, option.Type, option.Secret);
            else Write(writer, member.Value, null, isSecret: !(isRoot && member.Name == "$schema") && member.Name != TagsFrom.Key);
        }
        writer.WriteEndObject();
    }

    static void Write(Utf8JsonWriter writer, ConfigNode node, OptionType? type, bool isSecret)
    {
        switch (node.Kind)
        {
            case NodeKind.Object when type?.Schema is { } schema && !isSecret:
                WriteObject(writer, node, schema);
                break;
            case NodeKind.Object:
                writer.WriteStartObject();
                foreach (var member in node.Members)
                {
                    writer.WritePropertyName(member.Name);
                    Write(writer, member.Value, type?.Item, isSecret || type?.Item is null);
                }
                writer.WriteEndObject();
                break;
            case NodeKind.List:
                writer.WriteStartArray();
                foreach (var item in node.Items) Write(writer, item, type?.Item ?? type, isSecret);
                writer.WriteEndArray();
                break;
            case NodeKind.String when isSecret && OnlyReference().IsMatch(node.Text):
                writer.WriteStringValue(node.Text);
                break;
            case NodeKind.Null:
                writer.WriteNullValue();
                break;
            default:
                if (isSecret) writer.WriteStringValue(Hidden);
                else CanonicalJson.WriteScalar(writer, node, UserInfo().Replace(node.Text, "$1" + Hidden + "@"));
                break;
        }
    }

    [GeneratedRegex(@"^\$\{(env|file):[^}]*\}$")]
    private static partial Regex OnlyReference();

    [GeneratedRegex(@"(://[^:/@\s]*:)(?!\$\{(?:env|file):[^}]*\}@)[^@\s]+@")]
    private static partial Regex UserInfo();
}
