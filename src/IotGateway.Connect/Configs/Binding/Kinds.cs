using IotGateway.Sdk.Config;
using IotGateway.Sdk.Data;

namespace IotGateway.Connect.Configs.Binding;

/// <summary>Which types are scalars in configuration, and how to speak of them.</summary>
internal static class Kinds
{
    static readonly Dictionary<Type, OptionKind> Scalars = new()
    {
        [typeof(bool)] = OptionKind.Bool,
        [typeof(string)] = OptionKind.String,
        [typeof(sbyte)] = OptionKind.Integer,
        [typeof(byte)] = OptionKind.Integer,
        [typeof(short)] = OptionKind.Integer,
        [typeof(ushort)] = OptionKind.Integer,
        [typeof(int)] = OptionKind.Integer,
        [typeof(uint)] = OptionKind.Integer,
        [typeof(long)] = OptionKind.Integer,
        [typeof(ulong)] = OptionKind.Integer,
        [typeof(float)] = OptionKind.Number,
        [typeof(double)] = OptionKind.Number,
        [typeof(decimal)] = OptionKind.Number,
        [typeof(TimeSpan)] = OptionKind.Duration,
        [typeof(ByteSize)] = OptionKind.Size,
        [typeof(Rate)] = OptionKind.Rate,
        [typeof(Endpoints)] = OptionKind.Endpoints,
        [typeof(Value)] = OptionKind.Scalar,
    };

    public static OptionKind? OfScalar(Type type) => Scalars.TryGetValue(type, out var kind) ? kind : null;

    /// <summary>What is allowed, with an example: "a duration such as "500ms"".</summary>
    public static string Expected(OptionType type, string? example) => type.Kind switch
    {
        OptionKind.Bool => "true or false",
        OptionKind.Integer => "a whole number such as " + (example ?? "10"),
        OptionKind.Number => "a number such as " + (example ?? "0.5"),
        OptionKind.String => "a text such as " + Quoted(example ?? "abc"),
        OptionKind.Enum => "one of " + string.Join(", ", type.Choices.Select(Quoted)),
        OptionKind.Duration => "a duration such as " + Quoted(example ?? "500ms"),
        OptionKind.Size => "a size such as " + Quoted(example ?? "64MiB"),
        OptionKind.Rate => "a rate such as " + Quoted(example ?? "1/s"),
        OptionKind.Endpoints => "an address or a list of addresses, such as " + Quoted(example ?? "tcp://127.0.0.1:502"),
        OptionKind.Scalar => "a number, a text, true or false",
        OptionKind.List => "a list, such as " + ListExample(type, example),
        OptionKind.Dictionary => "an object of named entries, such as { \"name\": … }",
        _ => "an object, such as { … }",
    };

    static string ListExample(OptionType type, string? example) => example is ['[', ..] ? example : type.Item!.Kind switch
    {
        OptionKind.Object or OptionKind.Dictionary => "[ { … } ]",
        OptionKind.Integer or OptionKind.Number => "[1, 2]",
        OptionKind.List => "[ [ … ] ]",
        OptionKind.Bool => "[true, false]",
        OptionKind.Enum => $"[{Quoted(type.Item.Choices[0])}]",
        _ => $"[{Quoted(example ?? "abc")}]",
    };

    static string Quoted(string text) => text is ['"', ..] or ['[', ..] ? text : "\"" + text + "\"";
}
