using System.Buffers;

namespace IotGateway.Broker.Server;

/// <summary>Kafka's rules for topic names.</summary>
internal static class TopicNames
{
    const int Longest = 249;
    static readonly SearchValues<char> Allowed = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

    /// <summary>What is wrong with the name, or null.</summary>
    public static string? Problem(string name) => name switch
    {
        "" => "A topic name may not be empty.",
        "." or ".." => $"Topic name '{name}' is not allowed.",
        "__consumer_offsets" or "__transaction_state" => $"Topic '{name}' is Kafka's own; this broker keeps groups and transactions elsewhere.",
        _ when name.Length > Longest => $"Topic name of {name.Length} characters; allowed are {Longest}.",
        _ when name.AsSpan().ContainsAnyExcept(Allowed) => $"Topic '{name}': allowed are letters, digits . _ -",
        _ => null,
    };
}
