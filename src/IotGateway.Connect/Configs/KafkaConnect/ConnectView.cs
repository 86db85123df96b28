using System.Text.RegularExpressions;
using IotGateway.Connect.Configs.Docs;
using IotGateway.Connect.Configs.Secrets;
using IotGateway.Connect.Plugins;

namespace IotGateway.Connect.Configs.KafkaConnect;

/// <summary>A plugin's options and a validated configuration in the words of Kafka Connect's REST interface. Pure.</summary>
public static partial class ConnectView
{
    const string CommonGroup = "Common";

    /// <summary>Answer of <c>GET /connector-plugins/{p}/config</c>: the plugin's own keys first, then the runtime's.</summary>
    public static IReadOnlyList<ConfigKeyInfo> Keys(Plugin plugin) => [.. Options(plugin).Select(o => o.Key)];

    /// <summary>Answer of <c>PUT /connector-plugins/{p}/config/validate</c>.</summary>
    /// <param name="plugin">The plugin.</param>
    /// <param name="sentClass">connector.class as sent.</param>
    /// <param name="flat">The configuration as sent.</param>
    /// <param name="problems">What <see cref="ConfigFolder.LoadConnector"/> says of <see cref="FlatConfig.ToJson"/>.</param>
    public static ConfigInfos Validate(Plugin plugin, string sentClass, IReadOnlyDictionary<string, string?> flat, IReadOnlyList<ConfigProblem> problems)
    {
        var options = Options(plugin);
        var errors = problems.Where(p => p.Severity == Severity.Error)
            .ToLookup(p => KeyOf(p.Path, options.Select(o => o.Key.Name)), p => (p.Message + " " + p.Fix).TrimEnd());
        var configs = new List<ConfigInfo>();
        foreach (var unknown in errors.Where(e => options.All(o => o.Key.Name != e.Key)))
            configs.Add(new(null, new(unknown.Key, null, [], [.. unknown], true)));
        foreach (var (option, key) in options)
            configs.Add(new(key, new(key.Name, Shown(option, flat.GetValueOrDefault(key.Name) ?? key.DefaultValue), option.Type.Choices, [.. errors[key.Name]], true)));
        return new(sentClass, configs.Sum(c => c.Value.Errors.Count), [.. options.Select(o => o.Key.Group!).Distinct()], configs);
    }

    static List<(OptionInfo Option, ConfigKeyInfo Key)> Options(Plugin plugin)
    {
        var orders = new Dictionary<string, int>();
        return [.. plugin.Schema.Options.OrderBy(o => o.Common && o.Name != "connector")
            .SelectMany(o => Leaves(o, o.Name).Select(leaf => (leaf.Option, Describe(leaf.Option, leaf.Path, o.Common ? CommonGroup : plugin.Info.Name, orders))))];
    }

    // Nested objects have no key of their own, their options have.
    static IEnumerable<(OptionInfo Option, string Path)> Leaves(OptionInfo option, string path)
        => option.Type is { Kind: OptionKind.Object, Schema: { } schema } && schema.Options is [{ } first, ..] && first.Path.StartsWith(option.Path + ".", StringComparison.Ordinal)
            ? schema.Options.SelectMany(o => Leaves(o, path + "." + o.Name))
            : [(option, path)];

    static ConfigKeyInfo Describe(OptionInfo option, string path, string group, Dictionary<string, int> orders)
    {
        var order = orders[group] = orders.GetValueOrDefault(group) + 1;
        // Nested options are required only where their object is given.
        var required = option.Required && !path.Contains('.', StringComparison.Ordinal);
        return new(FlatConfig.Theirs(path), Type(option), required, Default(option), required ? "HIGH" : option.Advanced ? "LOW" : "MEDIUM",
            option.Doc, group, Width(option), path, [], order);
    }

    static string Type(OptionInfo option) => option.Type.Kind switch
    {
        _ when option.Secret => "PASSWORD",
        OptionKind.Bool => "BOOLEAN",
        OptionKind.Integer when option.Type.Clr == typeof(short) || option.Type.Clr == typeof(byte) || option.Type.Clr == typeof(sbyte) => "SHORT",
        OptionKind.Integer when option.Type.Clr == typeof(long) || option.Type.Clr == typeof(ulong) || option.Type.Clr == typeof(uint) => "LONG",
        OptionKind.Integer => "INT",
        OptionKind.Number => "DOUBLE",
        OptionKind.Endpoints => "LIST",
        OptionKind.List when option.Type.Item!.Kind is not (OptionKind.Object or OptionKind.List or OptionKind.Dictionary) => "LIST",
        _ => "STRING",
    };

    static string Width(OptionInfo option) => option.Type.Kind switch
    {
        OptionKind.Bool or OptionKind.Integer or OptionKind.Number or OptionKind.Duration or OptionKind.Size or OptionKind.Rate => "SHORT",
        OptionKind.Object or OptionKind.List or OptionKind.Dictionary => "LONG",
        _ => "MEDIUM",
    };

    // Texts without quotes, lists without brackets: Kafka Connect's defaults are all strings.
    static string? Default(OptionInfo option) => ValueText.Default(option) switch
    {
        null => null,
        ['"', .. var text, '"'] => text,
        ['[', .. var items, ']'] when Type(option) == "LIST" => items.Replace("\"", "", StringComparison.Ordinal),
        var other => other,
    };

    static string? Shown(OptionInfo option, string? value)
        => option.Secret && value is not null && !OnlyReference().IsMatch(value) ? Masking.Hidden : value;

    // "devices[2].tags" is the trouble of "devices"; "retry.initial" is its own.
    static string KeyOf(string path, IEnumerable<string> keys)
    {
        var plain = path.Split('[')[0];
        return keys.Where(k => FlatConfig.Ours(k) is var ours && (plain == ours || plain.StartsWith(ours + ".", StringComparison.Ordinal)))
            .MaxBy(k => k.Length) ?? FlatConfig.Theirs(plain);
    }

    [GeneratedRegex(@"^\$\{(env|file):[^}]*\}$")]
    private static partial Regex OnlyReference();
}
