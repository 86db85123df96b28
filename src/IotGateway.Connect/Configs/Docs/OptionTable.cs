using System.Text;

namespace IotGateway.Connect.Configs.Docs;

/// <summary>Writes options as a table in Markdown, nested ones by their path.</summary>
internal static class OptionTable
{
    public const string Begin = "<!-- options -->", End = "<!-- /options -->";

    public static string Make(ConfigSchema schema, bool withCommon)
    {
        var text = new StringBuilder("| option | type | default | what it is |\n|---|---|---|---|\n");
        foreach (var option in schema.All().Where(o => withCommon || !IsCommon(o, schema)))
            text.Append("| `").Append(option.Path).Append("` | ").Append(Type(option)).Append(" | ").Append(Default(option)).Append(" | ").Append(Doc(option)).Append(" |\n");
        return text.ToString();
    }

    /// <summary>Replaces what stands between the markers; without markers, a section is added at the end.</summary>
    public static string Replace(string readme, string table)
    {
        var begin = readme.IndexOf(Begin, StringComparison.Ordinal);
        var end = begin < 0 ? -1 : readme.IndexOf(End, begin, StringComparison.Ordinal);
        var block = Begin + "\n" + table + End;
        return end < 0 ? readme.TrimEnd() + "\n\n## Options\n\n" + block + "\n" : readme[..begin] + block + readme[(end + End.Length)..];
    }

    static bool IsCommon(OptionInfo option, ConfigSchema schema)
        => schema.Find(option.Path.Split('.', '[')[0]) is { Common: true, Name: not "connector" };

    static string Type(OptionInfo option) => Escape(Type(option.Type)) + (option.Min, option.Max) switch
    {
        (null, null) => "",
        ({ } min, null) => $", at least {min}",
        (null, { } max) => $", at most {max}",
        var (min, max) => $", {min} to {max}",
    };

    static string Type(OptionType type) => type.Kind switch
    {
        OptionKind.Bool => "true or false",
        OptionKind.Integer => "whole number",
        OptionKind.Number => "number",
        OptionKind.String => "text",
        OptionKind.Enum => string.Join(" | ", type.Choices.Select(c => $"`{c}`")),
        OptionKind.Duration => "duration",
        OptionKind.Size => "size",
        OptionKind.Rate => "rate",
        OptionKind.Endpoints => "address or list",
        OptionKind.Scalar => "any scalar",
        OptionKind.Object => "object",
        OptionKind.List => "list of " + Plural(type.Item!),
        _ => "named " + Plural(type.Item!),
    };

    static string Plural(OptionType type) => type.Kind switch
    {
        OptionKind.Bool or OptionKind.Enum => Type(type),
        OptionKind.Endpoints => "addresses",
        OptionKind.Scalar => "scalars",
        OptionKind.List => "lists of " + Plural(type.Item!),
        OptionKind.Dictionary => "objects of named " + Plural(type.Item!),
        _ => Type(type) + "s",
    };

    static string Default(OptionInfo option)
        => option.Required ? "**required**" : option.Secret || ValueText.Default(option) is not { } text ? "" : "`" + Escape(text) + "`";

    static string Doc(OptionInfo option) => Escape(option.Doc) + (option.Secret ? " Secret." : "")
        + (ValueText.Example(option) is { Length: <= 60 } example && !option.Secret ? $" Example: `{Escape(example)}`." : "");

    static string Escape(string text) => text.Replace("|", "\\|", StringComparison.Ordinal).ReplaceLineEndings(" ");
}
