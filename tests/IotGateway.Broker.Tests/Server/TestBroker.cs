using System.Net;
using IotGateway.Log;
using Microsoft.Extensions.Logging;

namespace IotGateway.Broker.Tests.Server;

/// <summary>A broker over a log in a directory of its own, on a free port. Disposing it checks that no error was logged.</summary>
sealed class TestBroker : IAsyncDisposable
{
    readonly bool _keep;

    TestBroker(string directory, LogStore log, BrokerServer server, ListLogger logger, TestMeters meters, bool keep)
        => (Directory, Store, Server, Logger, Meters, _keep) = (directory, log, server, logger, meters, keep);

    public string Directory { get; }

    public LogStore Store { get; }

    public BrokerServer Server { get; }

    public ListLogger Logger { get; }

    public TestMeters Meters { get; }

    public string Bootstrap => Server.Bootstrap;

    public static async Task<TestBroker> StartAsync(BrokerOptions? options = null, string? directory = null, bool keep = false, Func<LogOptions, LogOptions>? log = null, TimeProvider? time = null, params BrokerListener[] listeners)
    {
        directory ??= System.IO.Directory.CreateTempSubdirectory("broker").FullName;
        var logger = new ListLogger();
        var ct = TestContext.Current.CancellationToken;
        var logOptions = new LogOptions { Directory = directory, WalBytes = 16 << 20 };
        var store = await LogStore.OpenAsync(log?.Invoke(logOptions) ?? logOptions, logger, time ?? TimeProvider.System, ct);
        options = (options ?? new()) with { Listeners = listeners.Length > 0 ? listeners : [new() { Endpoint = new(IPAddress.Loopback, 0) }], DataDirectory = directory };
        var meters = new TestMeters();
        var server = await BrokerServer.StartAsync(options, store, logger, time ?? TimeProvider.System, meters, ct);
        return new(directory, store, server, logger, meters, keep);
    }

    public async Task<RawClient> ConnectAsync() => await RawClient.ConnectAsync(Server.Endpoints[0]);

    public Task<Topic> CreateAsync(string name, int partitions = 1)
        => Store.CreateTopicAsync(name, partitions, new(), TestContext.Current.CancellationToken).AsTask();

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        await Store.DisposeAsync();
        Meters.Dispose();
        if (!_keep) System.IO.Directory.Delete(Directory, recursive: true);
        var errors = Logger.Lines.Where(l => l.Level >= LogLevel.Error).Select(l => l.Text).ToList();
        if (errors.Count > 0) Assert.Fail(string.Join(' ', errors));
    }
}
