namespace Acceptance.Tests.Interruptions;

/// <summary>A broker that can be ended and started again on the same port and folder.</summary>
abstract class InterruptedBroker : IAsyncDisposable
{
    Tool? _process;

    public string Folder { get; } = Directory.CreateTempSubdirectory("iotgateway-broker-").FullName;

    public int Port { get; } = Ports.Free();

    /// <summary>Version the gateway speaks with it.</summary>
    public virtual string Version => "5.0";

    /// <summary>User name of a client; null where none is needed.</summary>
    public virtual string? User(string client) => null;

    /// <summary>Whether sessions outlive an orderly end of the broker.</summary>
    public virtual bool KeepsSessions => false;

    /// <summary>Whether it sets DUP on what it sends again, as it must (MQTT 5 §3.3.1.1).</summary>
    public virtual bool MarksDup => true;

    /// <summary>Whether it keeps the order of a topic (MQTT 5 §4.6); of the others only what they send in order must stay so.</summary>
    public virtual bool KeepsOrder => true;

    protected abstract string Program { get; }

    protected abstract IEnumerable<string> Arguments { get; }

    /// <summary>What it prints when it listens.</summary>
    protected abstract string Ready { get; }

    public async Task StartAsync()
    {
        if (_process is not null) await _process.DisposeAsync();
        _process = Tool.Start(Program, Arguments);
        await _process.SawAsync(Ready);
    }

    public async Task EndAsync(int signal)
    {
        _process!.Signal(signal);
        await _process.WaitAsync(30);
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null) await _process.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }

    /// <summary>Runs a peer's script that installs it; skips the test where that is impossible.</summary>
    protected static async Task PrepareAsync(string peer, params string[] arguments)
    {
        await using var script = Tool.Start(Path.Combine(Machine.Root, "tests/peers", peer, "prepare"), arguments);
        if (await script.WaitAsync(300) != 0) Assert.Skip($"{peer} cannot be installed here: {script.Output}");
    }
}

/// <summary>mosquitto with sessions on disk and queues without bound.</summary>
sealed class PersistentMosquitto : InterruptedBroker
{
    public override bool KeepsSessions => true;

    protected override string Program => "/usr/sbin/mosquitto";

    protected override IEnumerable<string> Arguments => ["-c", Path.Combine(Folder, "mosquitto.conf")];

    protected override string Ready => "running";

    public static async Task<InterruptedBroker> MakeAsync()
    {
        if (!Machine.OnPath("mosquitto")) Assert.Skip("mosquitto is not installed.");
        var broker = new PersistentMosquitto();
        await File.WriteAllTextAsync(Path.Combine(broker.Folder, "mosquitto.conf"), $"""
            listener {broker.Port} 127.0.0.1
            allow_anonymous true
            persistence true
            persistence_location {broker.Folder}/
            max_queued_messages 0
            max_inflight_messages 1000
            user root
            """);
        return broker;
    }
}

/// <summary>npm's aedes: version 3.1.1. It does not set DUP, and sends new messages before what it kept for a client that comes back.</summary>
sealed class Aedes : InterruptedBroker
{
    static readonly string Installed = Path.Combine(Machine.Root, ".work/aedes");

    public override string Version => "3.1.1";

    public override bool MarksDup => false;

    public override bool KeepsOrder => false;

    protected override string Program => "node";

    protected override IEnumerable<string> Arguments => [Path.Combine(Installed, "broker.mjs"), $"{Port}"];

    protected override string Ready => "running";

    public static async Task<InterruptedBroker> MakeAsync()
    {
        await PrepareAsync("aedes", Installed);
        return new Aedes();
    }
}

/// <summary>Debian's ejabberd with mod_mqtt, the second broker of version 5. To a client that comes back it sometimes sends new messages before those it kept.</summary>
sealed class Ejabberd : InterruptedBroker
{
    public override bool KeepsOrder => false;

    public override string? User(string client) => client + "@localhost";

    protected override string Program => Path.Combine(Machine.Root, "tests/peers/ejabberd/start");

    protected override IEnumerable<string> Arguments => [$"{Port}", Folder];

    protected override string Ready => "for mod_mqtt";

    public static async Task<InterruptedBroker> MakeAsync()
    {
        await PrepareAsync("ejabberd");
        return new Ejabberd();
    }
}
