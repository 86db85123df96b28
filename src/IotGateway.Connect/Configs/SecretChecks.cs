using IotGateway.Connect.Configs.Binding;
using IotGateway.Connect.Configs.Json;
using IotGateway.Connect.Configs.Secrets;

namespace IotGateway.Connect.Configs;

/// <summary>Walks values together with their options, for what concerns secrets.</summary>
internal static class SecretChecks
{
    /// <summary>A secret written out is allowed, but someone should know.</summary>
    public static void WarnOfLiterals(ConfigNode root, ConfigSchema schema, Report report)
        => Visit(root, schema, "", (node, path) =>
        {
            if (node.Kind == NodeKind.String && node.Written is null && !SecretResolver.IsReference(node.Text) && node.Text.Length > 0)
                report.Warn(node, path, "A secret stands here in plain text.", "Write \"${file:NAME.secret}\" or \"${env:NAME}\" instead.");
        });

    static void Visit(ConfigNode node, ConfigSchema schema, string path, Action<ConfigNode, string> secret)
    {
        foreach (var member in node.Members)
            if (schema.Find(member.Name) is { } option) Visit(member.Value, option, option.Type, JsonPath.Member(path, member.Name), secret);
    }

    static void Visit(ConfigNode node, OptionInfo option, OptionType type, string path, Action<ConfigNode, string> secret)
    {
        if (option.Secret && node.Kind is not (NodeKind.Object or NodeKind.List)) secret(node, path);
        else if (type.Schema is { } inner) Visit(node, inner, path, secret);
        else if (type.Item is { } item)
        {
            for (var i = 0; i < node.Items.Count; i++) Visit(node.Items[i], option, item, JsonPath.Item(path, i), secret);
            foreach (var member in node.Members) Visit(member.Value, option, item, JsonPath.Member(path, member.Name), secret);
        }
    }
}
