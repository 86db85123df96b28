using System.Diagnostics;

namespace IotGateway.Testing;

/// <summary>The library that changes what the disk does for one process (tests/peers/shim), built when first asked for.</summary>
public static class PreloadedShim
{
    static readonly Lazy<Task<string?>> Library = new(BuildAsync);

    /// <summary>Path of the library for LD_PRELOAD; null where there is no gcc.</summary>
    public static Task<string?> PathAsync() => Library.Value;

    static async Task<string?> BuildAsync()
    {
        if (!(Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, "gcc")))) return null;
        var library = Path.Combine(Directory.CreateTempSubdirectory("shim-").FullName, "shim.so");
        using var compiler = Process.Start("gcc", ["-shared", "-fPIC", "-O2", "-Wall", "-o", library, Path.Combine(Root(), "tests/peers/shim/shim.c")]);
        await compiler.WaitForExitAsync();
        return compiler.ExitCode == 0 ? library : throw new InvalidOperationException($"gcc ended with {compiler.ExitCode}.");
    }

    static string Root()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
            if (File.Exists(Path.Combine(folder, "IotGateway.sln"))) return folder;
        throw new InvalidOperationException("IotGateway.sln is in no folder above the tests.");
    }
}
