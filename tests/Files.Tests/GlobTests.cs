using IotGateway.Connectors.Files.Tail;

namespace Files.Tests;

/// <summary>Which paths a pattern names.</summary>
public sealed class GlobTests : IDisposable
{
    readonly string _root = Directory.CreateTempSubdirectory("glob-").FullName;

    public GlobTests()
    {
        foreach (var name in new[] { "a.log", "b.log", "b.txt", ".h.log", "x/a.log", "x/y/c.log", "z.log/n.log", "old.log.gz" })
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(_root, name))!);
            File.WriteAllText(Path.Combine(_root, name), "");
        }
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Theory]
    [InlineData("*.log", "a.log b.log")]
    [InlineData("?.log", "a.log b.log")]
    [InlineData("a.log", "a.log")]
    [InlineData(".*.log", ".h.log")]
    [InlineData("*/a.log", "x/a.log z.log/a.log")]
    [InlineData("x/**/*.log", "x/a.log x/y/c.log")]
    [InlineData("**/c.log", "c.log x/c.log x/y/c.log z.log/c.log")]
    [InlineData("**", "a.log b.log b.txt x/a.log x/y/c.log z.log/n.log")]
    public void Finds(string pattern, string expected)
    {
        var found = new Glob(_root + "/" + pattern, ["*.gz"], followFolders: false).Find((p, e) => Assert.Fail(p + ": " + e.Message));
        Assert.Equal(expected, string.Join(' ', found.Select(f => f[(_root.Length + 1)..]).Order(StringComparer.Ordinal)));
    }

    [Theory, InlineData("/a/b/*.log", "/a/b"), InlineData("/*/b", "/"), InlineData("/a/b.log", "/a"), InlineData("/a/**/b", "/a")]
    public void The_fixed_folder_is_everything_before_the_first_wildcard(string pattern, string root)
        => Assert.Equal(root, new Glob(pattern, [], false).Root);
}
