namespace Acceptance.Tests.PowerCut;

/// <summary>Builds and names the preloaded library that changes what syncing means (tests/peers/shim).</summary>
static class SyncShim
{
    static readonly Lazy<Task<string>> Library = new(BuildAsync);

    /// <summary>Environment for a process whose syncs do as told: <c>none</c>, <c>delay:MS</c>, <c>fail:N</c>. Skips the test where there is no compiler.</summary>
    public static async Task<Dictionary<string, string>> EnvironmentAsync(string how)
    {
        if (!Machine.OnPath("gcc")) Assert.Skip("The preloaded library needs gcc, which is not installed.");
        return new() { ["LD_PRELOAD"] = await Library.Value, ["SHIM_SYNC"] = how };
    }

    static async Task<string> BuildAsync()
    {
        var library = Path.Combine(Directory.CreateTempSubdirectory("shim-").FullName, "shim.so");
        await Tool.RunAsync("gcc", ["-shared", "-fPIC", "-O2", "-Wall", "-o", library, Path.Combine(Machine.Root, "tests/peers/shim/shim.c")]);
        return library;
    }
}
