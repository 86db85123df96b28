using System.Text;

namespace IotGateway.Connectors.Files.Tail;

/// <summary>Expands <c>${file}</c> and its siblings for one file. Pure; text that comes from a file's name is never expanded again.</summary>
static class FileTemplate
{
    /// <summary>The known words, for messages.</summary>
    public const string Words = "${file}, ${stem}, ${dir}, ${path}, ${gateway}";

    /// <summary>The first unknown word of a template, or null.</summary>
    public static string? UnknownWord(string template)
    {
        string? unknown = null;
        Walk(template, word => { if (Value(word, "/a/b", "") is null) unknown ??= word; return ""; });
        return unknown;
    }

    /// <summary>The template filled in for a file.</summary>
    public static string Expand(string template, string path, string gateway) => Walk(template, word => Value(word, path, gateway) ?? "");

    static string? Value(string word, string path, string gateway) => word switch
    {
        "file" => Path.GetFileName(path),
        "stem" => Path.GetFileNameWithoutExtension(path),
        "dir" => Path.GetFileName(Path.GetDirectoryName(path)) ?? "",
        "path" => path,
        "gateway" => gateway,
        _ => null,
    };

    static string Walk(string template, Func<string, string> value)
    {
        var text = new StringBuilder();
        for (var at = 0; at < template.Length;)
        {
            var open = template.IndexOf("${", at, StringComparison.Ordinal);
            var close = open < 0 ? -1 : template.IndexOf('}', open);
            if (close < 0) return text.Append(template, at, template.Length - at).ToString();
            text.Append(template, at, open - at).Append(value(template[(open + 2)..close]));
            at = close + 1;
        }
        return text.ToString();
    }
}
