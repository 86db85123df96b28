using System.Reflection;
using System.Runtime.Loader;

namespace IotGateway.Connect.Plugins;

/// <summary>
/// One plugin's own world. From the host come the Sdk, the logging abstractions and the framework, so that their types are the
/// host's; everything else, native libraries too, comes from the plugin's folder. The host's private dependencies are out of
/// reach: a plugin that forgot one fails here and not on another machine. Not unloadable: replacing a plugin needs a restart.
/// </summary>
internal sealed class PluginLoadContext : AssemblyLoadContext
{
    static readonly string[] FromHost = ["IotGateway.Sdk", "Microsoft.Extensions.Logging.Abstractions"];
    static readonly Lazy<HashSet<string>> Framework = new(ListFramework);

    readonly AssemblyDependencyResolver _resolver;

    public PluginLoadContext(string name, string assembly) : base(name) => _resolver = new(assembly);

    protected override Assembly? Load(AssemblyName assemblyName)
    {
        var name = assemblyName.Name ?? "";
        if (FromHost.Contains(name)) return null;
        if (_resolver.ResolveAssemblyToPath(assemblyName) is { } path) return LoadFromAssemblyPath(path);
        return Framework.Value.Contains(name)
            ? null
            : throw new FileNotFoundException("Not in the plugin's folder.", assemblyName.FullName);
    }

    protected override nint LoadUnmanagedDll(string unmanagedDllName)
        => _resolver.ResolveUnmanagedDllToPath(unmanagedDllName) is { } path ? LoadUnmanagedDllFromPath(path) : 0;

    // The platform's list holds the host's own assemblies too; those lie beside the program, or, where the framework lies there
    // as well (self-contained), do not have the framework's names.
    static HashSet<string> ListFramework()
    {
        var own = Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory);
        var platform = ((string?)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        var mixed = Path.GetDirectoryName(typeof(object).Assembly.Location) == own;
        return [.. platform.Where(p => mixed ? HasFrameworkName(Path.GetFileName(p)) : Path.GetDirectoryName(p) != own).Select(p => Path.GetFileNameWithoutExtension(p))];
    }

    static bool HasFrameworkName(string file)
        => file.StartsWith("System.", StringComparison.Ordinal) || file.StartsWith("Microsoft.", StringComparison.Ordinal)
            || file is "netstandard.dll" or "mscorlib.dll" or "WindowsBase.dll";
}
