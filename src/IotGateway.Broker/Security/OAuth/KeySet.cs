using System.Text.Json;

namespace IotGateway.Broker.Security.OAuth;

/// <summary>A JSON Web Key Set (RFC 7517 §5). Immutable, thread-safe.</summary>
internal sealed class KeySet
{
    public static KeySet Empty { get; } = new([]);

    readonly List<SigningKey> _keys;

    KeySet(List<SigningKey> keys) => _keys = keys;

    /// <exception cref="FormatException">It is none, or has no key that could verify anything.</exception>
    public static KeySet Parse(ReadOnlyMemory<byte> json)
    {
        try
        {
            using var document = JsonDocument.Parse(json, new() { MaxDepth = 8 });
            if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty("keys", out var keys) || keys.ValueKind != JsonValueKind.Array)
                throw new FormatException("It has no list 'keys'.");
            var usable = keys.EnumerateArray().Where(k => k.ValueKind == JsonValueKind.Object).Select(SigningKey.Read).OfType<SigningKey>().ToList();
            return usable.Count > 0 ? new(usable) : throw new FormatException("It has no RSA (2048 bits or more) or EC key for signatures.");
        }
        catch (JsonException e)
        {
            throw new FormatException($"It is no JSON: {e.Message}");
        }
    }

    /// <summary>The keys a token may be signed with: those of its <c>kid</c>, or all when it names none.</summary>
    public IReadOnlyList<SigningKey> Find(string? id) => id is null ? _keys : _keys.FindAll(k => k.Id == id);
}
