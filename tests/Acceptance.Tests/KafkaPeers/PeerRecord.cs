using System.Text.Json;

namespace Acceptance.Tests.KafkaPeers;

/// <summary>A record as a peer tells it. <paramref name="Content"/> is timestamp, key, value and headers as one text that is equal when all of them are, to the byte.</summary>
sealed record PeerRecord(int Partition, long Offset, long Timestamp, string? Key, string Content)
{
    const long Epoch = 1_760_000_000_000;

    /// <summary>[topic, partition, offset, timestamp, key, value, headers].</summary>
    public static PeerRecord Read(JsonElement told) => new(told[1].GetInt32(), told[2].GetInt64(), told[3].GetInt64(), told[4].GetString(), ContentOf(told, 3));

    /// <summary>What is in a line of <see cref="Make"/>.</summary>
    public static string ContentOf(string line)
    {
        using var parsed = JsonDocument.Parse(line);
        return ContentOf(parsed.RootElement, 0);
    }

    static string ContentOf(JsonElement told, int from)
        => $"{told[from].GetInt64()} {told[from + 1].GetString() ?? "null"} {told[from + 2].GetString() ?? "null"} {string.Join(',', told[from + 3].EnumerateArray().Select(h => $"{h[0].GetString()}={h[1].GetString()}"))}";

    /// <summary>
    /// Records to send, a line each: [timestamp, key, value, headers]. No two are alike, their timestamps are their order. Keys and values are any bytes, some are none, headers come none to thrice,
    /// also of the same name, also empty; never null, which neither client can send. <paramref name="keyless"/>: some have no key.
    /// </summary>
    public static string[] Make(int count, int first = 0, bool keyless = true)
    {
        var random = new Random(Machine.Seed + first);
        var keys = Enumerable.Range(0, 50).Select(i => Some(random, 1 + i / 2)).ToArray();
        var lines = new string[count];
        for (var i = 0; i < count; i++)
        {
            var key = keyless && random.Next(10) == 0 ? null : keys[random.Next(keys.Length)];
            var value = random.Next(20) switch
            {
                0 when key is not null => null,
                1 => [],
                < 11 => [.. Enumerable.Repeat((byte)random.Next(256), random.Next(1, 300))],
                _ => Some(random, random.Next(1, 150)),
            };
            var names = Enumerable.Range(0, random.Next(4)).Select(_ => ((string[])["größe", "source", "tag"])[random.Next(3)]).Order(StringComparer.Ordinal);
            lines[i] = JsonSerializer.Serialize(new object?[] { Epoch + first + i, key, value, names.Select(n => new object[] { n, Some(random, random.Next(12)) }) });
        }
        return lines;
    }

    static byte[] Some(Random random, int length)
    {
        var bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }
}
