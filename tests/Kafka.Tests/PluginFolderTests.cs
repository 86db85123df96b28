using System.Reflection;
using System.Runtime.Loader;

namespace Kafka.Tests;

/// <summary>The folder that is shipped holds all the plugin needs, the native library included.</summary>
public sealed class PluginFolderTests
{
    [Fact]
    public void The_client_library_works_from_the_plugin_folder_in_a_load_context_of_its_own()
    {
        var folder = PluginFolder();
        var context = new PluginContext(Path.Combine(folder, "Kafka.dll"));
        var plugin = context.LoadFromAssemblyPath(Path.Combine(folder, "Kafka.dll"));
        Assert.Contains(plugin.GetExportedTypes(), t => t.Name == "KafkaFactory");
        var client = context.LoadFromAssemblyName(new AssemblyName("Confluent.Kafka"));
        Assert.Equal(Path.Combine(folder, "Confluent.Kafka.dll"), client.Location);
        var version = (string)client.GetType("Confluent.Kafka.Library")!.GetProperty("VersionString")!.GetValue(null)!;
        Assert.StartsWith("2.", version, StringComparison.Ordinal);
        Assert.Contains(Directory.GetFiles(folder, "librdkafka.so", SearchOption.AllDirectories), f => f.StartsWith(folder, StringComparison.Ordinal));
    }

    [Fact]
    public void It_carries_nothing_of_the_hosts()
    {
        var files = Directory.GetFiles(PluginFolder(), "*.dll").Select(Path.GetFileName);
        Assert.DoesNotContain("IotGateway.Sdk.dll", files);
        Assert.DoesNotContain(files, f => f!.StartsWith("Microsoft.Extensions", StringComparison.Ordinal));
    }

    static string PluginFolder()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "IotGateway.sln"))) return Path.Combine(folder.FullName, "plugins", "Kafka");
        throw new DirectoryNotFoundException("The repository's root is not above the tests.");
    }

    sealed class PluginContext(string main) : AssemblyLoadContext("Kafka plugin", isCollectible: false)
    {
        readonly AssemblyDependencyResolver _resolver = new(main);

        protected override Assembly? Load(AssemblyName name) => _resolver.ResolveAssemblyToPath(name) is { } path ? LoadFromAssemblyPath(path) : null;

        protected override nint LoadUnmanagedDll(string name) => _resolver.ResolveUnmanagedDllToPath(name) is { } path ? LoadUnmanagedDllFromPath(path) : 0;
    }
}
