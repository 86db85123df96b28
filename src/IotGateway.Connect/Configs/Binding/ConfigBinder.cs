using System.Diagnostics.CodeAnalysis;
using IotGateway.Connect.Configs.Json;

namespace IotGateway.Connect.Configs.Binding;

/// <summary>
/// Turns JSON nodes into configuration records and reports everything wrong on the way; what is wrong keeps its default, so that one
/// slip does not hide the next. Records are made blank and set through their init accessors. Never throws for content.
/// </summary>
internal sealed class ConfigBinder(Report report)
{
    readonly RuleChecker _rules = new(report);

    /// <summary>Binds a whole object; null only when the node is no object.</summary>
    public object? Bind(ConfigNode node, ConfigSchema schema, string path = "")
        => Bind(node, schema.Type, schema.Options, schema, path);

    /// <summary>Binds those of a schema's options that the record has. Every key is checked against the whole schema when <paramref name="keys"/> is given.</summary>
    public object? Bind(ConfigNode node, Type type, IReadOnlyList<OptionInfo> options, ConfigSchema? keys, string path)
    {
        if (node.Kind != NodeKind.Object)
        {
            if (!node.IsBroken) report.Error(node, path, $"Expected an object, found {node.Found()}.", "Write { … }.");
            return null;
        }
        var before = report.Errors;
        if (keys is not null) CheckKeys(node, keys, path);
        var made = Blank.Make(type);
        foreach (var option in options) BindOption(node, option, made, path);
        _rules.CheckObject(made, node, options, path, isWhole: report.Errors == before);
        return made;
    }

    /// <summary>Binds some options into an existing record.</summary>
    public void BindInto(object target, ConfigNode node, IReadOnlyList<OptionInfo> options)
    {
        foreach (var option in options) BindOption(node, option, target, "");
    }

    void CheckKeys(ConfigNode node, ConfigSchema schema, string path)
    {
        foreach (var member in node.Members)
        {
            if (schema.Find(member.Name) is not null || path.Length == 0 && member.Name == "$schema") continue;
            var elsewhere = Nearest.To(member.Name, schema.Names) is null ? schema.All().FirstOrDefault(o => o.Name == member.Name) : null;
            var fix = elsewhere is null ? Nearest.Suggest(member.Name, schema.Names) : $"It belongs into {elsewhere.Path[..^(elsewhere.Name.Length + 1)]}.";
            report.Error(member, JsonPath.Member(path, member.Name), $"Unknown key '{member.Name}'.", fix);
        }
    }

    void BindOption(ConfigNode node, OptionInfo option, object target, string parent)
    {
        if (node[option.Name] is not { } given)
        {
            if (option.Required) report.Error(node, JsonPath.Member(parent, option.Name), $"'{option.Name}' is missing. {option.Doc}", $"Add {Sample(option)}.");
            return;
        }
        var path = JsonPath.Member(parent, option.Name);
        if (given.IsBroken || !TryRead(given, option.Type, option, path, out var value)) return;
        option.Property.SetValue(target, value);
        if (value is not null) _rules.CheckValue(option, value, given, path, target);
    }

    static string Sample(OptionInfo option) => $"\"{option.Name}\": " + option switch
    {
        { Example: ['[' or '{' or '"', ..] example } => example,
        { Example: { } example, Type.Kind: OptionKind.Integer or OptionKind.Number or OptionKind.Bool or OptionKind.Scalar } => example,
        { Example: { } example } => "\"" + example + "\"",
        { Type.Kind: OptionKind.Object or OptionKind.Dictionary } => "{ … }",
        { Type.Kind: OptionKind.List } => "[ … ]",
        { Type: { Kind: OptionKind.Enum, Choices: [var first, ..] } } => "\"" + first + "\"",
        _ => "…",
    };

    bool TryRead(ConfigNode node, OptionType type, OptionInfo option, string path, out object? value)
    {
        value = null;
        if (node.IsBroken) return false;
        if (node.Kind == NodeKind.Null && type.Kind != OptionKind.Scalar)
        {
            if (!type.Nullable) report.Error(node, path, "null is not allowed.", "Remove the key to get the default, or write " + Kinds.Expected(type, Example(type, option)) + ".");
            return type.Nullable;
        }
        return type.Kind switch
        {
            OptionKind.Object => (value = Bind(node, type.Schema!, path)) is not null,
            OptionKind.List => TryReadList(node, type, option, path, out value),
            OptionKind.Dictionary => TryReadDictionary(node, type, option, path, out value),
            _ => TryReadScalar(node, type, option, path, out value),
        };
    }

    bool TryReadScalar(ConfigNode node, OptionType type, OptionInfo option, string path, [NotNullWhen(true)] out object? value)
    {
        if (ScalarReader.TryRead(node, type, out value, out var message, out var fix)) return true;
        message ??= $"Expected {Kinds.Expected(type, Example(type, option))}, found {node.Found(option.Secret)}.";
        report.Error(node, path, message, option.Secret ? "" : fix);
        return false;
    }

    bool TryReadList(ConfigNode node, OptionType type, OptionInfo option, string path, out object? value)
    {
        value = null;
        if (!Expect(node, NodeKind.List, type, option, path)) return false;
        var items = new List<object?>(node.Items.Count);
        for (var i = 0; i < node.Items.Count; i++)
            if (TryRead(node.Items[i], type.Item!, option, JsonPath.Item(path, i), out var item)) items.Add(item);
        value = Collections.MakeList(type.Clr, items);
        return true;
    }

    bool TryReadDictionary(ConfigNode node, OptionType type, OptionInfo option, string path, out object? value)
    {
        value = null;
        if (!Expect(node, NodeKind.Object, type, option, path)) return false;
        var entries = new List<KeyValuePair<string, object?>>(node.Members.Count);
        foreach (var member in node.Members)
            if (TryRead(member.Value, type.Item!, option, JsonPath.Member(path, member.Name), out var item)) entries.Add(new(member.Name, item));
        value = Collections.MakeDictionary(type.Clr, entries);
        return true;
    }

    bool Expect(ConfigNode node, NodeKind kind, OptionType type, OptionInfo option, string path)
    {
        if (node.Kind == kind) return true;
        var fix = kind == NodeKind.List && node.Kind is not NodeKind.Null ? "Put it into [ ]." : "";
        report.Error(node, path, $"Expected {Kinds.Expected(type, Example(type, option))}, found {node.Found(option.Secret)}.", fix);
        return false;
    }

    // An example is of the whole option; for an element of its list it would be of the wrong kind.
    static string? Example(OptionType type, OptionInfo option) => ReferenceEquals(type, option.Type) || option.Example is not ['[' or '{', ..] ? option.Example : null;
}
