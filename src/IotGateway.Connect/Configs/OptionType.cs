namespace IotGateway.Connect.Configs;

/// <summary>What a value of an option looks like in JSON. Immutable.</summary>
/// <param name="Kind">Its kind.</param>
/// <param name="Clr">The property's type, without Nullable.</param>
/// <param name="Nullable">Whether null may be written.</param>
public sealed record OptionType(OptionKind Kind, Type Clr, bool Nullable)
{
    /// <summary>Type of a list's or dictionary's elements.</summary>
    public OptionType? Item { get; init; }

    /// <summary>Options of a nested object.</summary>
    public ConfigSchema? Schema { get; init; }

    /// <summary>Names an enumeration allows.</summary>
    public IReadOnlyList<string> Choices { get; init; } = [];
}

/// <summary>Kinds of option values.</summary>
public enum OptionKind
{
    /// <summary>true or false.</summary>
    Bool,
    /// <summary>A whole number.</summary>
    Integer,
    /// <summary>A number.</summary>
    Number,
    /// <summary>Text.</summary>
    String,
    /// <summary>One of several names.</summary>
    Enum,
    /// <summary>A time such as 250ms.</summary>
    Duration,
    /// <summary>A size such as 64MiB.</summary>
    Size,
    /// <summary>A rate such as 1/s.</summary>
    Rate,
    /// <summary>One address or a list of them.</summary>
    Endpoints,
    /// <summary>Any JSON scalar.</summary>
    Scalar,
    /// <summary>Options of its own.</summary>
    Object,
    /// <summary>A list.</summary>
    List,
    /// <summary>Named entries.</summary>
    Dictionary,
}
