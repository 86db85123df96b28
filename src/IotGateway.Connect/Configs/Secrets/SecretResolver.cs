using System.Text;
using IotGateway.Connect.Configs.Json;

namespace IotGateway.Connect.Configs.Secrets;

/// <summary>
/// Expands <c>${env:NAME}</c> and <c>${file:path}</c> in string values at load. Files are read only from the configuration folder
/// and the allowed folders; a path is judged as written, links are the administrator's business. What is expanded is not looked
/// at again, other placeholders stay, and nothing is ever written back. A missing secret is a problem at its line.
/// </summary>
/// <param name="home">The configuration folder; relative paths start here.</param>
/// <param name="folders">Absolute folders allowed besides.</param>
/// <param name="environment">Reads an environment variable.</param>
internal sealed class SecretResolver(string home, IReadOnlyList<string> folders, Func<string, string?> environment)
{
    /// <summary>Where containers find their secrets.</summary>
    public const string SystemFolder = "/run/secrets";

    const int MaxBytes = 64 << 10;

    readonly string[] _allowed = [.. new[] { home, SystemFolder }.Concat(folders).Select(Path.GetFullPath)];

    /// <summary>Whether a text holds a reference.</summary>
    public static bool IsReference(string text) => text.Contains("${env:", StringComparison.Ordinal) || text.Contains("${file:", StringComparison.Ordinal);

    /// <summary>Expands every string value below a node.</summary>
    public void Expand(ConfigNode node, string path, ICollection<ConfigProblem> problems)
    {
        if (node.Kind == NodeKind.String && IsReference(node.Text)) node.Expand(Expand(node, node.Text, path, problems));
        for (var i = 0; i < node.Items.Count; i++) Expand(node.Items[i], JsonPath.Item(path, i), problems);
        foreach (var member in node.Members) Expand(member.Value, JsonPath.Member(path, member.Name), problems);
    }

    string? Expand(ConfigNode node, string text, string path, ICollection<ConfigProblem> problems)
    {
        var result = new StringBuilder();
        var whole = true;
        for (var at = 0; at < text.Length;)
        {
            var start = NextReference(text, at);
            result.Append(text, at, start - at);
            if (start == text.Length) break;
            var end = text.IndexOf('}', start);
            var (value, message, fix) = end < 0 ? (null, "The reference is not closed.", "Add the missing '}'.") : Resolve(text[(start + 2)..end]);
            if (value is null) problems.Add(new(node.File, node.Line, node.Column, path, message, fix));
            result.Append(value);
            whole &= value is not null;
            at = end < 0 ? text.Length : end + 1;
        }
        return whole ? result.ToString() : null;
    }

    static int NextReference(string text, int from)
    {
        var env = text.IndexOf("${env:", from, StringComparison.Ordinal);
        var file = text.IndexOf("${file:", from, StringComparison.Ordinal);
        return Math.Min(env < 0 ? text.Length : env, file < 0 ? text.Length : file);
    }

    (string? Value, string Message, string Fix) Resolve(string reference)
    {
        var colon = reference.IndexOf(':', StringComparison.Ordinal);
        var name = reference[(colon + 1)..];
        if (reference[..colon] == "file") return ReadFile(name);
        // A name with '=' or NUL is none, and the system throws for it.
        var usable = name.Length > 0 && name.AsSpan().IndexOfAny('=', '\0') < 0;
        return usable && environment(name) is { } value
            ? (value, "", "")
            : (null, $"The environment variable '{name}' is not set.", "Set it for the gateway's process, or correct the name.");
    }

    (string? Value, string Message, string Fix) ReadFile(string name)
    {
        if (name.Length == 0 || name.Contains('\0', StringComparison.Ordinal)) return (null, "The reference names no file.", "Write ${file:NAME}.");
        var path = Path.GetFullPath(name, Path.GetFullPath(home));
        if (!Array.Exists(_allowed, folder => IsWithin(path, folder)))
            return (null, $"The file '{name}' is outside the folders secrets may be read from.",
                $"Move it to one of {string.Join(", ", _allowed)}, or add its folder to secrets.folders in gateway.json.");
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            var bytes = new byte[MaxBytes + 1];
            var length = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            return length > MaxBytes
                ? (null, $"The secret file '{name}' is larger than 64 KiB.", "A secret is one short text; check the path.")
                : (TrimNewline(Encoding.UTF8.GetString(bytes, 0, length)), "", "");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return (null, $"The secret file '{path}' does not exist.", "Create it, or correct the path; relative paths start in the configuration folder.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            return (null, $"The secret file '{path}' cannot be read: {e.Message}", "Let the gateway's user read it.");
        }
    }

    static bool IsWithin(string path, string folder)
        => path.StartsWith(Path.TrimEndingDirectorySeparator(folder) + Path.DirectorySeparatorChar, StringComparison.Ordinal);

    static string TrimNewline(string text)
        => text.EndsWith("\r\n", StringComparison.Ordinal) ? text[..^2] : text.EndsWith('\n') ? text[..^1] : text;
}
