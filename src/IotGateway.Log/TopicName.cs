using System.Buffers;

namespace IotGateway.Log;

/// <summary>Which topic names are allowed: Kafka's rule (they become directory names).</summary>
public static class TopicName
{
    const int MaxLength = 249; // a directory name has 255 bytes, the partition's number needs some

    static readonly SearchValues<char> Allowed = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

    /// <summary>What is wrong with the name; null when nothing is.</summary>
    public static string? Fault(string name)
    {
        if (name.Length is 0 or > MaxLength) return $"Topic '{name}': a name has 1 to {MaxLength} characters.";
        if (name is "." or "..") return $"Topic '{name}': this name is not allowed.";
        return name.AsSpan().ContainsAnyExcept(Allowed) ? $"Topic '{name}': allowed are letters, digits and . _ -" : null;
    }
}
