using System.Collections.Concurrent;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace IotGateway.Connect.Configs;

/// <summary>
/// Names of properties and enumeration members in JSON: lower camel case. <c>UInt16</c> is <c>uint16</c>, names wholly in capitals
/// (<c>ABCD</c>) stay, and <c>[JsonPropertyName]</c> and <c>[JsonStringEnumMemberName]</c> have the last word.
/// </summary>
internal static class JsonNames
{
    // Asked once per value of a configuration that may have a hundred thousand of them.
    static readonly ConcurrentDictionary<Type, IReadOnlyList<(string Name, object Value)>> Enums = [];

    public static string Of(PropertyInfo property)
        => property.GetCustomAttribute<JsonPropertyNameAttribute>()?.Name ?? JsonNamingPolicy.CamelCase.ConvertName(property.Name);

    /// <summary>Names and values of an enumeration, in order of value.</summary>
    public static IReadOnlyList<(string Name, object Value)> OfEnum(Type type)
        => Enums.GetOrAdd(type, static t => [.. Enum.GetNames(t).Select(name => (Of(t.GetField(name)!), Enum.Parse(t, name)))]);

    static string Of(FieldInfo member)
    {
        if (member.GetCustomAttribute<JsonStringEnumMemberNameAttribute>() is { } given) return given.Name;
        if (member.Name.Length > 1 && member.Name.All(c => char.IsAsciiLetterUpper(c) || char.IsAsciiDigit(c))) return member.Name;
        var name = member.Name.StartsWith("UInt", StringComparison.Ordinal) ? "Uint" + member.Name[4..] : member.Name;
        return JsonNamingPolicy.CamelCase.ConvertName(name);
    }
}
