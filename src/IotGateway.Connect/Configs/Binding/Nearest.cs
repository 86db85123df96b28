namespace IotGateway.Connect.Configs.Binding;

/// <summary>Finds what somebody probably meant.</summary>
internal static class Nearest
{
    const int Listed = 12;

    /// <summary>"Did you mean 'every'?", or the list of what is known.</summary>
    public static string Suggest(string given, IReadOnlyCollection<string> known)
    {
        if (To(given, known) is { } near) return $"Did you mean '{near}'?";
        if (known.Count == 0) return "Nothing is allowed here.";
        var more = known.Count > Listed ? ", …" : ".";
        return "Known are: " + string.Join(", ", known.Take(Listed)) + more;
    }

    /// <summary>The known name nearest to the given one, or null when none is near.</summary>
    public static string? To(string given, IEnumerable<string> known)
    {
        // One slip per three letters, but at least one: 'evry' is near 'every', 'a' is near nothing but 'b'.
        var most = Math.Max(1, given.Length / 3);
        return known.Select(name => (Name: name, Distance: Distance(given, name)))
            .Where(c => c.Distance <= most && c.Distance < c.Name.Length)
            .OrderBy(c => c.Distance).ThenBy(c => c.Name, StringComparer.Ordinal)
            .Select(c => c.Name).FirstOrDefault();
    }

    /// <summary>Optimal string alignment distance (insert, delete, replace, swap neighbours), ignoring case, '-' and '_'.</summary>
    internal static int Distance(string a, string b)
    {
        (a, b) = (Plain(a), Plain(b));
        if (Math.Abs(a.Length - b.Length) > 16 || a.Length > 128) return int.MaxValue;
        var d = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++) d[i, 0] = i;
        for (var j = 0; j <= b.Length; j++) d[0, j] = j;
        for (var i = 1; i <= a.Length; i++)
            for (var j = 1; j <= b.Length; j++)
            {
                var cost = a[i - 1] == b[j - 1] ? 0 : 1;
                d[i, j] = Math.Min(Math.Min(d[i - 1, j] + 1, d[i, j - 1] + 1), d[i - 1, j - 1] + cost);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) d[i, j] = Math.Min(d[i, j], d[i - 2, j - 2] + 1);
            }
        return d[a.Length, b.Length];
    }

    static string Plain(string name) => name.Replace("-", "", StringComparison.Ordinal).Replace("_", "", StringComparison.Ordinal).ToLowerInvariant();
}
