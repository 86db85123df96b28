namespace IotGateway.Broker.Groups.Consumer;

/// <summary>
/// Bounds how many characters an expression tells apart. The framework's automaton has a class for each, and takes memory by their square: 300 different
/// letters that no topic can have took 107 MB, as measured. Pure.
/// </summary>
static class PatternVariety
{
    /// <summary>All that names of topics are made of, and a third more.</summary>
    const int Most = 90;

    /// <summary>A category cuts through many others.</summary>
    const int OfCategory = 4;

    /// <exception cref="ArgumentException">There are too many, or an escape that RE2 does not have.</exception>
    public static void Check(ReadOnlySpan<char> text)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var variety = 0;
        while (!text.IsEmpty)
        {
            var length = text[0] == '\\' ? Escape(text) : 1;
            var category = length > 1 && text[1] is ('p' or 'P');
            if (seen.Add(text[..length].ToString())) variety += category ? OfCategory : 1;
            if (variety > Most) throw new ArgumentException($"it tells more than {Most} different characters apart (a category counts as {OfCategory}).");
            text = text[length..];
        }
    }

    /// <summary>Characters of the escape a text begins with.</summary>
    static int Escape(ReadOnlySpan<char> text)
    {
        if (text.Length == 1) return 1;
        switch (text[1])
        {
            case 'u':
                throw new ArgumentException("it has the escape \\u.");
            case 'x':
                return 2 + Run(text[2..], char.IsAsciiHexDigit, 2);
            case >= '0' and <= '7':
                return 1 + Run(text[1..], static c => c is >= '0' and <= '7', 3);
            case 'c':
                return Math.Min(3, text.Length);
            case 'p' or 'P':
                var end = text.IndexOf('}');
                return end < 0 ? 2 : end + 1;
            default:
                return 2;
        }
    }

    static int Run(ReadOnlySpan<char> text, Func<char, bool> fits, int most)
    {
        var length = 0;
        while (length < Math.Min(most, text.Length) && fits(text[length])) length++;
        return length;
    }
}
