using Microsoft.Extensions.Logging;

namespace IotGateway.Connect.Plugins;

/// <summary>
/// The connector kinds this gateway has. Folders are opened on first need: <see cref="Find"/> opens the folder named like the
/// connector (case, '-', '_' and '.' aside) and only if it holds no such connector the others, so a start loads what is
/// configured and nothing else. Thread-safe. A plugin that cannot be used becomes a <see cref="PluginProblem"/>, never an exception.
/// </summary>
public sealed partial class PluginCatalog
{
    readonly Lock _gate = new();
    readonly ILogger? _logger;
    readonly List<string> _closed;
    readonly List<Plugin> _plugins;
    readonly List<PluginProblem> _problems = [];

    PluginCatalog(IEnumerable<string> folders, IEnumerable<Plugin> plugins, ILogger? logger)
        => (_closed, _plugins, _logger) = ([.. folders], [.. plugins], logger);

    /// <summary>The folders below <paramref name="pluginsFolder"/>; each holds its assembly, its dependencies and nothing of the host's.</summary>
    public static PluginCatalog Load(string pluginsFolder, ILogger logger)
    {
        var root = Path.GetFullPath(pluginsFolder);
        try
        {
            return new(Directory.GetDirectories(root).Order(StringComparer.Ordinal), [], logger);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            var catalog = new PluginCatalog([], [], logger);
            catalog.Add(new(root, $"The plugins folder cannot be read: {e.Message}", "Create it, or start the gateway with the right one."));
            return catalog;
        }
    }

    /// <summary>Plugins registered in process.</summary>
    public static PluginCatalog Of(params IEnumerable<Plugin> plugins)
    {
        var catalog = new PluginCatalog([], [], null);
        catalog.Register(plugins);
        return catalog;
    }

    /// <summary>Every usable plugin, by name. Opens what is not open yet.</summary>
    public IReadOnlyList<Plugin> All
    {
        get
        {
            lock (_gate)
            {
                Open(_ => true);
                return [.. _plugins.OrderBy(p => p.Info.Name, StringComparer.Ordinal)];
            }
        }
    }

    /// <summary>What is wrong with the folders opened so far; ask for <see cref="All"/> first to have every folder opened.</summary>
    public IReadOnlyList<PluginProblem> Problems
    {
        get
        {
            lock (_gate) return [.. _problems];
        }
    }

    /// <summary>The plugin of a connector name, or null.</summary>
    public Plugin? Find(string name)
    {
        lock (_gate)
        {
            if (Loaded(name) is { } open) return open;
            Open(folder => IsNamed(folder, name));
            if (Loaded(name) is { } own) return own;
            // A folder of that name which is broken explains itself; the others are not searched for a namesake.
            if (_problems.Exists(p => IsNamed(p.Folder, name))) return null;
            Open(_ => true);
            return Loaded(name);
        }
    }

    /// <summary>Why the plugin a connector names cannot be used, where its folder is there.</summary>
    internal PluginProblem? ProblemOf(string name)
    {
        lock (_gate) return _problems.Find(p => IsNamed(p.Folder, name));
    }

    Plugin? Loaded(string name) => _plugins.Find(p => p.Info.Name == name);

    void Open(Predicate<string> which)
    {
        var folders = _closed.FindAll(which);
        _closed.RemoveAll(folders.Contains);
        foreach (var folder in folders)
        {
            var problems = new List<PluginProblem>();
            Register(PluginLoader.Open(folder, problems));
            foreach (var problem in problems) Add(problem);
        }
    }

    void Register(IEnumerable<Plugin> plugins)
    {
        foreach (var plugin in plugins)
            if (Loaded(plugin.Info.Name) is not { } first) _plugins.Add(plugin);
            else Add(new(plugin.Folder, $"The connector name '{plugin.Info.Name}' is already taken by {Source(first)}.", "Remove one of the two plugins."));
    }

    static string Source(Plugin plugin) => plugin.Folder.Length > 0 ? plugin.Folder : plugin.AssemblyName;

    void Add(PluginProblem problem)
    {
        _problems.Add(problem);
        if (_logger is not null) Log.Unusable(_logger, problem);
    }

    static bool IsNamed(string folder, string name) => Plain(Path.GetFileName(folder)) == Plain(name);

    static string Plain(string name) => string.Concat(name.Where(c => c is not ('-' or '_' or '.'))).ToLowerInvariant();

    static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "Plugin not usable: {Problem}")]
        public static partial void Unusable(ILogger logger, PluginProblem problem);
    }
}
