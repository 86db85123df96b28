using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.Loader;
using IotGateway.Connect.Plugins;
using IotGateway.Connect.Tests.Configs;
using IotGateway.Sdk;
using IotGateway.Sdk.Config;
using Microsoft.Extensions.Logging.Abstractions;

namespace IotGateway.Connect.Tests.Plugins;

public sealed class PluginCatalogTests : IDisposable
{
    static readonly Version Host = typeof(IConnector).Assembly.GetName().Version!;

    readonly PluginFolder _plugins = new();

    public void Dispose() => _plugins.Dispose();

    static List<string> LoadedFrom(string root)
        => [.. AssemblyLoadContext.All.SelectMany(c => c.Assemblies).Where(a => !a.IsDynamic && a.Location.StartsWith(root, StringComparison.Ordinal)).Select(a => a.GetName().Name!).Order()];

    [Fact]
    public void Loads_a_plugin_with_the_hosts_sdk()
    {
        var folder = _plugins.Add("OpcUa", ["opc-ua"]);
        var plugin = _plugins.Catalog.Find("opc-ua");
        Assert.NotNull(plugin);
        Assert.Equal(("opc-ua", "OpcUa", new Version(1, 2, 3, 0), folder), (plugin.Info.Name, plugin.AssemblyName, plugin.Version, plugin.Folder));
        Assert.Same(typeof(TlsConfig), plugin.ConfigType);
        Assert.NotNull(plugin.Schema.Find("ca"));
        Assert.Equal("opc-ua 1.2.3.0", plugin.ToString());
    }

    [Fact]
    public void Opens_only_the_folder_named_like_the_connector()
    {
        _plugins.Add("First", ["first"]);
        _plugins.Add("Second", ["second"]);
        var catalog = _plugins.Catalog;
        Assert.NotNull(catalog.Find("second"));
        Assert.Equal(["Second"], LoadedFrom(_plugins.Root));
        Assert.Equal(["first", "second"], catalog.All.Select(p => p.Info.Name));
        Assert.Equal(["First", "Second"], LoadedFrom(_plugins.Root));
    }

    [Fact]
    public void Finds_connectors_in_folders_of_another_name()
    {
        _plugins.Add("Acme.Drivers", ["acme-plc", "acme-scale"]);
        var catalog = _plugins.Catalog;
        Assert.Equal("Acme.Drivers", catalog.Find("acme-scale")?.AssemblyName);
        Assert.Null(catalog.Find("acme-none"));
        Assert.Empty(catalog.Problems);
    }

    [Fact]
    public void Gives_each_plugin_its_own_dependencies()
    {
        var first = _plugins.AddLibrary("First", "Shared", "one");
        var second = _plugins.AddLibrary("Second", "Shared", "two");
        _plugins.Add("First", ["first"], summary: il => il.Emit(OpCodes.Call, first));
        _plugins.Add("Second", ["second"], summary: il => il.Emit(OpCodes.Call, second));
        Assert.Equal(["one", "two"], _plugins.Catalog.All.Select(p => p.Info.Summary));
    }

    [Fact]
    public void Keeps_the_hosts_private_assemblies_from_plugins()
    {
        _plugins.Add("Nosy", ["nosy"], il =>
        {
            il.Emit(OpCodes.Ldtoken, typeof(PluginCatalog));
            il.Emit(OpCodes.Pop);
        });
        var catalog = _plugins.Catalog;
        Assert.Null(catalog.Find("nosy"));
        Assert.Contains($"The assembly IotGateway.Connect {typeof(PluginCatalog).Assembly.GetName().Version} is not in the plugin's folder.", Assert.Single(catalog.Problems).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Loads_native_libraries_from_the_plugins_folder()
    {
        // Any library will do; this one is part of .NET itself and certainly not named so.
        var library = Directory.GetFiles(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "libSystem.Native.so").FirstOrDefault();
        if (library is null) Assert.Skip("The runtime's native library is not where Linux has it.");
        Directory.CreateDirectory(Path.Combine(_plugins.Root, "Native"));
        File.Copy(library, Path.Combine(_plugins.Root, "Native", "libplugin_own.so"));
        _plugins.Add("Native", ["native"], il =>
        {
            var load = typeof(System.Runtime.InteropServices.NativeLibrary).GetMethod("Load", [typeof(string), typeof(Assembly), typeof(System.Runtime.InteropServices.DllImportSearchPath?)])!;
            il.DeclareLocal(typeof(System.Runtime.InteropServices.DllImportSearchPath?));
            il.Emit(OpCodes.Ldstr, "plugin_own");
            il.Emit(OpCodes.Call, typeof(Assembly).GetMethod(nameof(Assembly.GetExecutingAssembly))!);
            il.Emit(OpCodes.Ldloc_0);
            il.Emit(OpCodes.Call, load);
            il.Emit(OpCodes.Pop);
        });
        var catalog = _plugins.Catalog;
        Assert.NotNull(catalog.Find("native"));
        Assert.Empty(catalog.Problems);
    }

    [Fact]
    public void Refuses_another_sdk_by_name_and_version()
    {
        PluginFolder.PretendSdk(_plugins.Add("Old", ["old"]), new(0, 99, 4));
        _plugins.Add("Good", ["good"]);
        var catalog = _plugins.Catalog;
        Assert.Equal(["good"], catalog.All.Select(p => p.Info.Name));
        var problem = Assert.Single(catalog.Problems);
        Assert.Equal($"Plugin Old cannot run here. It was built against IotGateway.Sdk 0.99.4, this gateway has {Host.ToString(3)}.", problem.Message);
        Assert.DoesNotContain("Old", LoadedFrom(_plugins.Root));
    }

    [Theory]
    [InlineData("0.1.0", "0.1.0", true)]
    [InlineData("0.1.0", "0.1.7", true)]
    [InlineData("0.1.8", "0.1.7", false)]
    [InlineData("0.1.0", "0.2.0", false)]
    [InlineData("0.2.0", "0.1.0", false)]
    [InlineData("1.2.0", "1.4.0", true)]
    [InlineData("1.5.0", "1.4.0", false)]
    [InlineData("1.0.0", "2.0.0", false)]
    [InlineData("0.1.0", "1.0.0", false)]
    public void Knows_which_sdk_versions_go_together(string plugin, string host, bool together)
        => Assert.Equal(together, SdkReference.Refusal(Version.Parse(plugin), Version.Parse(host)) is null);

    [Fact]
    public void A_broken_folder_is_a_problem_and_leaves_the_others_alone()
    {
        _plugins.Add("Good", ["good"]);
        Directory.CreateDirectory(Path.Combine(_plugins.Root, "Empty"));
        File.WriteAllText(Path.Combine(Directory.CreateDirectory(Path.Combine(_plugins.Root, "Junk")).FullName, "Junk.dll"), "MZ no assembly");
        _plugins.Add("Throws", ["throws"], il =>
        {
            il.Emit(OpCodes.Ldstr, "no licence");
            il.Emit(OpCodes.Newobj, typeof(InvalidOperationException).GetConstructor([typeof(string)])!);
            il.Emit(OpCodes.Throw);
        });
        _plugins.Add("Nothing", []);
        _plugins.Add("Nameless", [" "]);
        var gone = _plugins.AddLibrary("", "Gone", "x", Path.Combine(_plugins.Root, "..", Path.GetFileName(_plugins.Root) + "-elsewhere"));
        _plugins.Add("Torn", ["torn"], summary: il => il.Emit(OpCodes.Call, gone));
        var catalog = _plugins.Catalog;
        Assert.Equal(["good"], catalog.All.Select(p => p.Info.Name));
        var problems = catalog.Problems.ToDictionary(p => Path.GetFileName(p.Folder), p => p.Message);
        Assert.Equal(["Empty", "Junk", "Nameless", "Nothing", "Throws", "Torn"], problems.Keys.Order());
        Assert.Equal("There is no Empty.dll in it.", problems["Empty"]);
        Assert.StartsWith("Plugin Junk cannot be loaded: ", problems["Junk"], StringComparison.Ordinal);
        Assert.Equal("The connector factory Throws.Factory0 cannot be made: no licence", problems["Throws"]);
        Assert.Equal("Plugin Nothing cannot run here. It does not use IotGateway.Sdk, so it is no plugin.", problems["Nothing"]);
        Assert.EndsWith("It has no name.", problems["Nameless"], StringComparison.Ordinal);
        Assert.EndsWith("The assembly Gone 1.0.0.0 is not in the plugin's folder.", problems["Torn"], StringComparison.Ordinal);
    }

    [Fact]
    public void Two_plugins_of_one_name_are_a_problem_and_the_first_folder_wins()
    {
        _plugins.Add("A", ["twin"]);
        _plugins.Add("B", ["twin"]);
        var catalog = _plugins.Catalog;
        Assert.Equal("A", Assert.Single(catalog.All).AssemblyName);
        var problem = Assert.Single(catalog.Problems);
        Assert.Equal((Path.Combine(_plugins.Root, "B"), $"The connector name 'twin' is already taken by {Path.Combine(_plugins.Root, "A")}."), (problem.Folder, problem.Message));
    }

    [Fact]
    public void A_missing_plugins_folder_is_a_problem()
    {
        var catalog = PluginCatalog.Load(Path.Combine(_plugins.Root, "gone"), NullLogger.Instance);
        Assert.Null(catalog.Find("x"));
        Assert.StartsWith("The plugins folder cannot be read:", Assert.Single(catalog.Problems).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_configuration_that_names_a_refused_plugin_says_why()
    {
        PluginFolder.PretendSdk(_plugins.Add("Old", ["old"]), new(7, 0, 0));
        using var bench = new ConfigBench { Plugins = _plugins.Catalog };
        Assert.Equal(
            $"1:16: connector: Plugin 'old' cannot be used: Plugin Old cannot run here. It was built against IotGateway.Sdk 7.0.0, this gateway has {Host.ToString(3)}. Get the plugin's version for this gateway, or build it against this Sdk.",
            Assert.Single(bench.ProblemsOf("""{ "connector": "old" }""")));
    }

    [Fact]
    public async Task Offers_a_changed_configuration_where_the_connector_can_take_one()
    {
        var plugin = Plugin.From(new FlexFactory());
        var config = new TlsConfig { Ca = "/new" };
        await using var flexible = plugin.Create(config, null!);
        Assert.True(plugin.CanReconfigure(flexible));
        Assert.IsType<ApplyResult.Applied>(await plugin.TryApplyAsync(flexible, config, TestContext.Current.CancellationToken));
        Assert.Same(config, ((Flexible)flexible).Applied);
        await using var stiff = new Stiff();
        Assert.False(plugin.CanReconfigure(stiff));
        Assert.IsType<ApplyResult.NeedsRestart>(await plugin.TryApplyAsync(stiff, config, TestContext.Current.CancellationToken));
    }

    sealed class FlexFactory : IConnectorFactory<TlsConfig>
    {
        public ConnectorInfo Info { get; } = new("flex", "Takes changes.", ConnectorRoles.Source);
        public IConnector Create(TlsConfig config, ConnectorContext context) => new Flexible();
    }

    class Stiff : IConnector
    {
        public ValueTask OpenAsync(OpenMode mode, CancellationToken ct) => default;
        public ValueTask CloseAsync(CloseReason why, CancellationToken ct) => default;
        public ValueTask DisposeAsync() => default;
    }

    sealed class Flexible : Stiff, IReconfigurable<TlsConfig>
    {
        public TlsConfig? Applied { get; private set; }

        public ValueTask<ApplyResult> TryApplyAsync(TlsConfig next, CancellationToken ct)
        {
            Applied = next;
            return new(new ApplyResult.Applied());
        }
    }
}
