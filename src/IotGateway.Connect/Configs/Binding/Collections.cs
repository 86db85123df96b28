using System.Collections;

namespace IotGateway.Connect.Configs.Binding;

/// <summary>Lists and dictionaries an option can have, by reflection.</summary>
internal static class Collections
{
    static readonly HashSet<Type> Lists = [typeof(IReadOnlyList<>), typeof(IList<>), typeof(List<>), typeof(IReadOnlyCollection<>), typeof(ICollection<>), typeof(IEnumerable<>)];
    static readonly HashSet<Type> Dictionaries = [typeof(IReadOnlyDictionary<,>), typeof(IDictionary<,>), typeof(Dictionary<,>)];

    /// <summary>Element type of a list or array; null for other types.</summary>
    public static Type? ElementOfList(Type type)
        => type.IsSZArray ? type.GetElementType() : type.IsGenericType && Lists.Contains(type.GetGenericTypeDefinition()) ? type.GenericTypeArguments[0] : null;

    /// <summary>Value type of a dictionary with text keys; null for other types.</summary>
    public static Type? ElementOfDictionary(Type type)
        => type.IsGenericType && Dictionaries.Contains(type.GetGenericTypeDefinition()) && type.GenericTypeArguments[0] == typeof(string) ? type.GenericTypeArguments[1] : null;

    /// <summary>A list or array of a property's type.</summary>
    public static object MakeList(Type type, IReadOnlyList<object?> items)
    {
        var element = ElementOfList(type)!;
        var array = Array.CreateInstance(element, items.Count);
        for (var i = 0; i < items.Count; i++) array.SetValue(items[i], i);
        return type.IsGenericType && type.GetGenericTypeDefinition() is var open && (open == typeof(List<>) || open == typeof(IList<>) || open == typeof(ICollection<>))
            ? Activator.CreateInstance(typeof(List<>).MakeGenericType(element), array)!
            : array;
    }

    /// <summary>A dictionary for a property's type, with ordinal keys.</summary>
    public static object MakeDictionary(Type type, IEnumerable<KeyValuePair<string, object?>> entries)
    {
        var made = typeof(Dictionary<,>).MakeGenericType(typeof(string), ElementOfDictionary(type)!);
        var dictionary = (IDictionary)Activator.CreateInstance(made, StringComparer.Ordinal)!;
        foreach (var (key, value) in entries) dictionary.Add(key, value);
        return dictionary;
    }
}
