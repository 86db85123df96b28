using Microsoft.Extensions.Logging.Abstractions;

namespace IotGateway.Log.Tests;

/// <summary>A data directory that goes away with the test.</summary>
sealed class TempDirectory : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("log-test-").FullName;

    public Task<LogStore> OpenAsync(long walBytes = 4 << 20, TopicConfig? defaults = null)
        => LogStore.OpenAsync(new() { Directory = Path, WalBytes = walBytes, TopicDefaults = defaults ?? new() },
            NullLogger.Instance, TimeProvider.System, TestContext.Current.CancellationToken);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
