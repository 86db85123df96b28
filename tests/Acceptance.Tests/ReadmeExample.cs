namespace Acceptance.Tests;

/// <summary>A worked example of a connector's README, by its name.</summary>
sealed class ReadmeExample(string text)
{
    public static async Task<ReadmeExample> ReadAsync(string connector, string name)
    {
        var readme = await File.ReadAllTextAsync(Path.Combine(Machine.Root, "connectors", connector, "README.md"), TestContext.Current.CancellationToken);
        return new(readme[readme.IndexOf($"<!-- example {name} -->", StringComparison.Ordinal)..]);
    }

    /// <summary>Its first block of that language.</summary>
    public string Block(string kind)
    {
        var start = text.IndexOf($"```{kind}\n", StringComparison.Ordinal) + kind.Length + 4;
        return text[start..text.IndexOf("```", start, StringComparison.Ordinal)].Trim();
    }
}
