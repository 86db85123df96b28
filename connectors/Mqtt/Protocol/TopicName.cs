namespace IotGateway.Connectors.Mqtt.Protocol;

/// <summary>Rules for topic names and filters (MQTT 5 §4.7), and whether a name matches a filter. Pure; never recursive.</summary>
static class TopicName
{
    /// <summary>§4.7.3: at least one character, no wildcard; U+0000 was refused with the text.</summary>
    public static bool IsValid(ReadOnlySpan<byte> name) => !name.IsEmpty && name.IndexOfAny((byte)'+', (byte)'#') < 0;

    /// <summary>What is wrong with a filter, in words; null when it may be subscribed to (§4.7.1, §4.8.2).</summary>
    public static string? FilterError(string filter)
    {
        if (filter.Length == 0) return "is empty; '#' means everything";
        if (System.Text.Encoding.UTF8.GetByteCount(filter) > ushort.MaxValue) return "is longer than 65535 bytes";
        if (filter.Contains('\0', StringComparison.Ordinal)) return "holds U+0000";
        var levels = filter.Split('/');
        if (levels[0] == "$share" && (levels.Length < 3 || levels[1].Length == 0 || levels[1].AsSpan().IndexOfAny('+', '#') >= 0 || (levels.Length == 3 && levels[2].Length == 0)))
            return "is no shared subscription; write $share/GROUP/FILTER";
        for (var i = 0; i < levels.Length; i++)
        {
            var level = levels[i];
            if (level.Contains('#', StringComparison.Ordinal) && (level.Length > 1 || i != levels.Length - 1)) return "has '#' elsewhere than alone in the last level";
            if (level.Contains('+', StringComparison.Ordinal) && level.Length > 1) return "has '+' beside other characters in a level";
        }
        return null;
    }

    /// <summary>The part of a filter that names are matched against: a shared subscription without its group (§4.8.2).</summary>
    public static string WithoutShare(string filter)
        => filter.StartsWith("$share/", StringComparison.Ordinal) ? filter[(filter.IndexOf('/', "$share/".Length) + 1)..] : filter;

    /// <summary>§4.7: whether a name matches a filter (without <c>$share</c>); wildcards in front do not match names starting with $ (§4.7.2).</summary>
    public static bool Matches(ReadOnlySpan<char> name, ReadOnlySpan<char> filter)
    {
        if (name is ['$', ..] && filter is ['+' or '#', ..]) return false;
        while (true)
        {
            var f = filter.IndexOf('/');
            var level = f < 0 ? filter : filter[..f];
            if (level is "#") return true;
            var n = name.IndexOf('/');
            if (level is not "+" && !level.SequenceEqual(n < 0 ? name : name[..n])) return false;
            if (f < 0) return n < 0;
            filter = filter[(f + 1)..];
            if (n < 0) return filter is "#"; // "sport/#" also matches "sport" (§4.7.1.2)
            name = name[(n + 1)..];
        }
    }

    /// <summary>Whether some name matches both filters.</summary>
    public static bool Overlap(ReadOnlySpan<char> a, ReadOnlySpan<char> b)
    {
        while (true)
        {
            var i = a.IndexOf('/');
            var j = b.IndexOf('/');
            var x = i < 0 ? a : a[..i];
            var y = j < 0 ? b : b[..j];
            if (x is "#" || y is "#") return true;
            if (x is not "+" && y is not "+" && !x.SequenceEqual(y)) return false;
            if (i < 0 && j < 0) return true;
            if (i < 0) return b[(j + 1)..] is "#";
            if (j < 0) return a[(i + 1)..] is "#";
            a = a[(i + 1)..];
            b = b[(j + 1)..];
        }
    }
}
