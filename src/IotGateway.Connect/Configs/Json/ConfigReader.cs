using System.Text;
using System.Text.Json;

namespace IotGateway.Connect.Configs.Json;

/// <summary>
/// Reads JSON with comments and trailing commas into nodes that know their line and column. A repeated key is a problem that
/// names both lines, and the first one counts; JSON that cannot be read is one problem and no node. Never throws for content.
/// </summary>
internal sealed class ConfigReader
{
    /// <summary>Deepest nesting; far more than any configuration needs, far less than a stack.</summary>
    public const int MaxDepth = 64;

    static readonly JsonReaderOptions Options = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true, MaxDepth = MaxDepth };

    readonly string _file;
    readonly byte[] _bytes;
    readonly ICollection<ConfigProblem> _problems;
    int _line = 1, _lineStart, _seen;

    ConfigReader(string file, byte[] bytes, ICollection<ConfigProblem> problems) => (_file, _bytes, _problems) = (file, bytes, problems);

    /// <summary>Reads a text; null after a syntax problem.</summary>
    public static ConfigNode? Read(string file, string text, ICollection<ConfigProblem> problems)
        => new ConfigReader(file, Encoding.UTF8.GetBytes(text), problems).ReadAll();

    ConfigNode? ReadAll()
    {
        var reader = new Utf8JsonReader(_bytes, Options);
        try
        {
            reader.Read();
            var root = ReadValue(ref reader, "");
            while (reader.Read()) { }
            return root;
        }
        catch (JsonException e)
        {
            // The reader's own place is zero-based and in bytes.
            var line = (int)(e.LineNumber ?? 0);
            var start = 0;
            for (var i = 0; i < line; i++) start += _bytes.AsSpan(start).IndexOf((byte)'\n') + 1;
            var column = Characters(start, (int)(e.BytePositionInLine ?? 0)) + 1;
            var end = e.Message.IndexOf(" LineNumber:", StringComparison.Ordinal);
            var message = end < 0 ? e.Message : e.Message[..end];
            _problems.Add(new(_file, line + 1, column, "", "Not valid JSON: " + message, "Look here and at the line before for a missing comma, quote or bracket."));
        }
        catch (InvalidOperationException)
        {
            var (line, column) = Place(ref reader);
            _problems.Add(new(_file, line, column, "", "The text holds half a surrogate pair.", "Write the character itself instead of \\u escapes."));
        }
        return null;
    }

    ConfigNode ReadValue(ref Utf8JsonReader reader, string path)
    {
        var (line, column) = Place(ref reader);
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                var node = new ConfigNode(_file, line, column, NodeKind.Object);
                ReadMembers(ref reader, node, path);
                return node;
            case JsonTokenType.StartArray:
                var list = new ConfigNode(_file, line, column, NodeKind.List);
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray) list.Items.Add(ReadValue(ref reader, JsonPath.Item(path, list.Items.Count)));
                return list;
            case JsonTokenType.String: return new(_file, line, column, NodeKind.String, reader.GetString()!);
            case JsonTokenType.Number: return new(_file, line, column, NodeKind.Number, Encoding.UTF8.GetString(reader.ValueSpan));
            case JsonTokenType.True: return new(_file, line, column, NodeKind.Bool, "true");
            case JsonTokenType.False: return new(_file, line, column, NodeKind.Bool, "false");
            default: return new(_file, line, column, NodeKind.Null, "null");
        }
    }

    void ReadMembers(ref Utf8JsonReader reader, ConfigNode node, string path)
    {
        var lines = new Dictionary<string, int>(StringComparer.Ordinal);
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var (line, column) = Place(ref reader);
            var name = reader.GetString()!;
            reader.Read();
            var inner = JsonPath.Member(path, name);
            var value = ReadValue(ref reader, inner);
            if (lines.TryAdd(name, line)) node.Members.Add(new(name, line, column, value));
            else _problems.Add(new(_file, line, column, inner, $"Key '{name}' stands twice in this object, in line {lines[name]} and in line {line}.", "Remove one of them."));
        }
    }

    // Tokens come in order, so lines are counted once over the whole file.
    (int Line, int Column) Place(ref Utf8JsonReader reader)
    {
        var at = (int)reader.TokenStartIndex;
        for (; _seen < at; _seen++)
            if (_bytes[_seen] == (byte)'\n') (_line, _lineStart) = (_line + 1, _seen + 1);
        return (_line, Characters(_lineStart, at - _lineStart) + 1);
    }

    int Characters(int start, int length) => Encoding.UTF8.GetCharCount(_bytes, Math.Min(start, _bytes.Length), Math.Clamp(length, 0, Math.Max(0, _bytes.Length - start)));
}
