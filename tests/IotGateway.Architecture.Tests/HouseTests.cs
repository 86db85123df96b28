using System.Text.RegularExpressions;

namespace IotGateway.Architecture.Tests;

/// <summary>House rules a program can check.</summary>
public sealed partial class HouseTests
{
    const int LongFile = 500, MedianBudget = 80, HeaderLines = 15;

    [Fact]
    public void No_long_file_without_a_reason_in_its_header()
    {
        var unexplained = Repository.Sources("src", "connectors", "tests").Select(f => (File: f, Lines: File.ReadAllLines(f)))
            .Where(f => f.Lines.Length > LongFile && !f.Lines.Take(HeaderLines).Any(l => l.StartsWith("//", StringComparison.Ordinal))).Select(f => f.File);
        Assert.Empty(unexplained);
    }

    [Fact]
    public void The_median_file_is_short()
    {
        var lengths = Repository.Sources("src", "connectors").Select(f => File.ReadAllLines(f).Length).Order().ToList();
        Assert.InRange(lengths[lengths.Count / 2], 1, MedianBudget);
    }

    [Fact]
    public void Nothing_is_left_undone_or_swallowed()
    {
        var found = Repository.Sources("src", "connectors").SelectMany(f => Undone().Matches(File.ReadAllText(f)).Select(m => $"{Path.GetRelativePath(Repository.Root, f)}: {m.Value.Trim()}"));
        Assert.Empty(found);
    }

    [Fact]
    public void The_top_level_is_as_designed()
    {
        string[] allowed = ["src", "connectors", "config", "tests", "docker", "eng", "docs", "IotGateway.sln", "README.md", "gateway", "test",
            "Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props", "global.json", "nuget.config", "artifacts", "plugins", "data", "LICENSE"];
        var found = Directory.EnumerateFileSystemEntries(Repository.Root).Select(e => Path.GetFileName(e)).Where(n => !n.StartsWith('.'));
        Assert.Empty(found.Except(allowed));
    }

    [Fact]
    public void No_binary_is_kept_in_git()
    {
        using var git = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("git", "ls-files") { WorkingDirectory = Repository.Root, RedirectStandardOutput = true })!;
        var files = git.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        git.WaitForExit();
        Assert.Equal(0, git.ExitCode);
        Assert.NotEmpty(files);
        Assert.DoesNotContain(files, f => Path.GetExtension(f) is ".dll" or ".so" or ".exe" or ".nupkg" or ".jar" or ".zip" or ".gz" or ".a" or ".o");
    }

    [GeneratedRegex(@"\b(TODO|FIXME|NotImplementedException)\b|catch\s*(\([^)]*\))?\s*\{\s*\}")]
    private static partial Regex Undone();
}
