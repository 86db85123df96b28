using System.Text;
using IotGateway.Connectors.Files;
using IotGateway.Connectors.Files.Config;
using IotGateway.Sdk.Data;
using IotGateway.Testing;

namespace Files.Tests;

/// <summary>A folder of its own, a durable store, and sources over it that can be killed and started again.</summary>
sealed class TailRig : IAsyncDisposable
{
    readonly List<SourceDriver> _drivers = [];

    public TailRig()
    {
        Folder = Directory.CreateTempSubdirectory("tail-").FullName;
        Config = new() { Path = Folder + "/*.log", Every = TimeSpan.FromMilliseconds(2), Scan = TimeSpan.FromMilliseconds(5), CloseAfter = TimeSpan.FromMilliseconds(50) };
    }

    public string Folder { get; }
    public DurableStore Store { get; private set; } = new();
    public FilesConfig Config { get; set; }
    public FakeContext? Context { get; private set; }

    public string File(string name = "a.log") => Path.Combine(Folder, name);

    public void Append(string text, string name = "a.log") => System.IO.File.AppendAllText(File(name), text);

    public async Task<SourceDriver> StartAsync(TimeProvider? time = null)
    {
        Context = new FakeContext(Store, "press-log", time);
        var driver = new SourceDriver((IotGateway.Sdk.ISource)new FilesFactory().Create(Config, Context), Store);
        _drivers.Add(driver);
        return await driver.StartAsync();
    }

    public string[] Lines(string? file = null)
        => [.. Store.Records.Where(r => file is null || Text(r.Key) == File(file)).Select(r => Text(r.Value))];

    public Task UntilLines(SourceDriver driver, params string[] lines) => driver.UntilAsync(_ => Lines().Length >= lines.Length, what: $"{lines.Length} lines, have: {string.Join('|', Lines())}");

    public static string Text(ReadOnlyMemory<byte>? bytes) => bytes is { } b ? Encoding.UTF8.GetString(b.Span) : "<null>";

    public static string Header(IotGateway.Sdk.Data.Record record, string name) => Text(record.Headers.FirstOrDefault(h => h.Name == name).Value);

    public async ValueTask DisposeAsync()
    {
        foreach (var driver in _drivers) await driver.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }
}
