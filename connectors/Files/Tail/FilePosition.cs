using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using IotGateway.Sdk;
using IotGateway.Sdk.Data;

namespace IotGateway.Connectors.Files.Tail;

/// <summary>
/// How far one file is read, as kept durably with its lines under the key <c>file/DEVICE-INODE</c>. A file is recognised by device,
/// inode, birth, and the hashes of its first bytes and of the bytes just before <see cref="Offset"/>, so that neither a reused inode nor
/// a truncated and refilled file is mistaken for a continuation.
/// </summary>
sealed record FilePosition
{
    /// <summary>Most bytes hashed at the head of a file.</summary>
    public const int HeadBytes = 1024;

    /// <summary>Most bytes hashed before the position.</summary>
    public const int TailBytes = 64;

    const string Prefix = "file/";

    public ulong Device { get; init; }
    public ulong Inode { get; init; }
    public long Born { get; init; }

    /// <summary>Path under which the file was first seen; a renamed file keeps it, so its key and topic stay.</summary>
    public required string Path { get; init; }

    /// <summary>First byte not yet written as a record.</summary>
    public long Offset { get; init; }

    /// <summary>Number of the next piece, when <see cref="Offset"/> is inside a line; else 0.</summary>
    public int Part { get; init; }

    public int HeadLength { get; init; }
    public string Head { get; init; } = "";
    public int TailLength { get; init; }
    public string Tail { get; init; } = "";

    /// <summary>When this was written, UTC.</summary>
    public DateTime At { get; init; }

    /// <summary>Since when the file is gone from its path and no longer followed; it is remembered a while in case it comes back.</summary>
    public DateTime? GoneAt { get; init; }

    [JsonIgnore]
    public string StateKey => KeyOf(Device, Inode);

    public static string KeyOf(ulong device, ulong inode) => string.Create(CultureInfo.InvariantCulture, $"{Prefix}{device:x}-{inode:x}");

    public static string Hash(ReadOnlySpan<byte> bytes)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes, hash);
        return Convert.ToHexStringLower(hash[..8]);
    }

    public StateChange Save() => new(StateKey, JsonSerializer.SerializeToUtf8Bytes(this, PositionJson.Default.FilePosition));

    public StateChange Delete() => new(StateKey, null);

    /// <summary>The positions in a connector's state.</summary>
    /// <exception cref="PermanentException">An entry is not readable.</exception>
    public static IEnumerable<FilePosition> Load(IReadOnlyDictionary<string, ReadOnlyMemory<byte>> state)
    {
        foreach (var (key, value) in state)
        {
            if (!key.StartsWith(Prefix, StringComparison.Ordinal)) continue;
            yield return Parse(key, value.Span);
        }
    }

    static FilePosition Parse(string key, ReadOnlySpan<byte> json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, PositionJson.Default.FilePosition) ?? throw new JsonException("null");
        }
        catch (JsonException e)
        {
            throw new PermanentException($"The kept file position '{key}' is not readable ({e.Message}). It was written by another version: remove the connector and add it again to begin anew.", e);
        }
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault)]
[JsonSerializable(typeof(FilePosition))]
sealed partial class PositionJson : JsonSerializerContext;
