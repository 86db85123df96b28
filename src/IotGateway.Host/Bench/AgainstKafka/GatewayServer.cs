namespace IotGateway.Host.Bench.AgainstKafka;

/// <summary>This gateway without connectors, as it is configured by default: records are acknowledged when they are synced.</summary>
sealed class GatewayServer(IReadOnlyDictionary<string, string>? environment = null) : MeasuredServer
{
    readonly BenchGateway _gateway = new() { Environment = environment ?? new Dictionary<string, string>() };

    public override string Name => "gateway";
    public override string Bootstrap => _gateway.Broker;
    public override int Pid => _gateway.Pid;
    public override string Partitions => Path.Combine(_gateway.Root, "data");
    protected override Dictionary<string, string> Unsynced { get; } = new() { ["iotgateway.durability"] = "os" };

    public override Task StartAsync(CancellationToken ct)
    {
        _gateway.Start();
        return Task.CompletedTask;
    }

    public override Task EndAsync(bool kill) => _gateway.EndAsync(kill);

    public override async ValueTask DisposeAsync()
    {
        await _gateway.EndAsync(kill: true).ConfigureAwait(false);
        _gateway.Dispose();
    }
}
