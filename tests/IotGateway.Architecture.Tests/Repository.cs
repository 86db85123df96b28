namespace IotGateway.Architecture.Tests;

/// <summary>The repository this test was built from.</summary>
static class Repository
{
    public static string Root { get; } = Find();

    static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "IotGateway.sln"))) return folder.FullName;
        throw new InvalidOperationException("IotGateway.sln is in no folder above " + AppContext.BaseDirectory);
    }

    /// <summary>Files of the product's own C#, generated ones left out.</summary>
    public static IEnumerable<string> Sources(params string[] folders) => folders
        .SelectMany(f => Directory.EnumerateFiles(Path.Combine(Root, f), "*.cs", SearchOption.AllDirectories))
        .Where(f => !f.EndsWith(".g.cs", StringComparison.Ordinal));
}
