namespace IotGateway.Connect.Configs.Json;

/// <summary>Kinds of JSON values.</summary>
internal enum NodeKind { Null, Bool, Number, String, List, Object }

/// <summary>A member of an object, with the place of its key.</summary>
internal readonly record struct ConfigMember(string Name, int Line, int Column, ConfigNode Value);

/// <summary>
/// One JSON value with the place it was written at. Text changes once, when references to secrets are expanded; else immutable.
/// Not thread-safe while being built.
/// </summary>
internal sealed class ConfigNode(string file, int line, int column, NodeKind kind, string text = "")
{
    // Shared by all nodes that have none; only lists and objects are ever added to.
    static readonly List<ConfigNode> NoItems = [];
    static readonly List<ConfigMember> NoMembers = [];

    public string File => file;
    public int Line => line;
    public int Column => column;
    public NodeKind Kind => kind;

    /// <summary>A string's content, a number as written, or <c>true</c>, <c>false</c>, <c>null</c>.</summary>
    public string Text { get; private set; } = text;

    /// <summary>The string as written, where <see cref="Text"/> came from elsewhere; null otherwise.</summary>
    public string? Written { get; private set; }

    /// <summary>Text taken from outside JSON (a reference, a CSV cell), so it may stand for a number or a bool.</summary>
    public bool IsLoose { get; init; }

    /// <summary>A reference that could not be resolved and was already reported: its value is not looked at.</summary>
    public bool IsBroken { get; private set; }

    /// <summary>Elements of a list.</summary>
    public List<ConfigNode> Items { get; } = kind == NodeKind.List ? [] : NoItems;

    /// <summary>Members of an object, in order, without repeated keys.</summary>
    public List<ConfigMember> Members { get; } = kind == NodeKind.Object ? [] : NoMembers;

    /// <summary>The value of a key, or null.</summary>
    public ConfigNode? this[string name]
    {
        get
        {
            foreach (var member in Members)
                if (member.Name == name) return member.Value;
            return null;
        }
    }

    /// <summary>Replaces a string by what its references stand for; null when they stand for nothing.</summary>
    public void Expand(string? expanded)
    {
        Written = Text;
        IsBroken = expanded is null;
        Text = expanded ?? "";
    }

    /// <summary>What was found, in words, for messages. Never what a reference stands for.</summary>
    public string Found(bool secret = false) => Kind switch
    {
        NodeKind.Null => "null",
        NodeKind.Bool when secret => "true or false",
        NodeKind.Number when secret => "a number",
        NodeKind.Bool => Text,
        NodeKind.Number => "the number " + Short(Text),
        NodeKind.String when secret => "a text",
        NodeKind.String => "the text \"" + Short(Written ?? Text) + "\"",
        NodeKind.List => "a list",
        _ => "an object",
    };

    static string Short(string text)
    {
        var line = text.ReplaceLineEndings(" ");
        return line.Length <= 60 ? line : line[..57] + "…";
    }
}
