// Fakes the runtime's tests share: a connector whose every call a test scripts, and the worker around it.
using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using IotGateway.Connect.Configs;
using IotGateway.Connect.EventLog;
using IotGateway.Connect.Plugins;
using IotGateway.Connect.Tasks;
using IotGateway.Sdk;
using IotGateway.Sdk.Commands;
using IotGateway.Sdk.Config;
using IotGateway.Sdk.Data;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace IotGateway.Connect.Tests.Tasks;

/// <summary>What a fake connector is told to do.</summary>
public sealed record FakeConfig
{
    public string Name { get; init; } = "fake";
    public IReadOnlyList<TagDefinition> Tags { get; init; } = [];
}

/// <summary>Scripts all instances of one fake connector and records what happened to them.</summary>
sealed class Script
{
    public ConnectorRoles Roles { get; init; } = ConnectorRoles.Source;
    public Func<Instance, CancellationToken, Task> Open { get; set; } = (_, _) => Task.CompletedTask;
    public Func<Instance, CloseReason, CancellationToken, Task> Close { get; set; } = (_, _, _) => Task.CompletedTask;
    public Func<Instance, Task> Dispose { get; set; } = _ => Task.CompletedTask;
    public Func<IReadOnlyList<SinkRecord>, CancellationToken, Task<WriteResult>> Write { get; set; } = (batch, _) => Task.FromResult(new WriteResult(batch.Count));
    public Func<Command, ISendGate, CancellationToken, Task<CommandResult>> Execute { get; set; } = async (_, gate, _) => await gate.EnterAsync() ? CommandResult.Done("fake:ok") : CommandResult.NotSent;
    public Func<IReadOnlyList<Tag>, Task<IReadOnlyList<Reading>>> ReadNow { get; set; } = _ => Task.FromException<IReadOnlyList<Reading>>(new IOException("No read-back."));
    public Func<object, ApplyResult>? Apply { get; set; }
    public List<Instance> Instances { get; } = [];
    public List<string> Calls { get; } = [];
    public Channel<Instance> Opened { get; } = Channel.CreateUnbounded<Instance>();

    public void Note(string call)
    {
        lock (Calls) Calls.Add(call);
    }

    public IReadOnlyList<string> Noted()
    {
        lock (Calls) return [.. Calls];
    }

    public async Task<Instance> NextAsync() => await Opened.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(10));
}

sealed class Instance(Script script, ConnectorContext context, int number) : ISource, ISink, ICommandTarget, IReadable
{
    public Channel<SourceBatch> Batches { get; } = Channel.CreateUnbounded<SourceBatch>();
    public ConnectorContext Context => context;
    public int Number => number;
    public CloseReason? Closed { get; private set; }
    public bool Disposed { get; private set; }
    public int Pulled { get; private set; }

    public async ValueTask OpenAsync(OpenMode mode, CancellationToken ct)
    {
        script.Note("open");
        await script.Open(this, ct);
        script.Opened.Writer.TryWrite(this);
    }

    public async ValueTask CloseAsync(CloseReason why, CancellationToken ct)
    {
        script.Note("close " + why);
        Closed = why;
        await script.Close(this, why, ct);
    }

    public async ValueTask DisposeAsync()
    {
        script.Note("dispose");
        Disposed = true;
        await script.Dispose(this);
    }

    public async IAsyncEnumerable<SourceBatch> ReadAsync([EnumeratorCancellation] CancellationToken ct)
    {
        await foreach (var batch in Batches.Reader.ReadAllAsync(ct))
        {
            Pulled++;
            yield return batch;
        }
    }

    public async ValueTask<WriteResult> WriteAsync(IReadOnlyList<SinkRecord> batch, CancellationToken ct) => await script.Write(batch, ct);
    public async ValueTask<CommandResult> ExecuteAsync(Command command, ISendGate gate, CancellationToken ct)
    {
        script.Note("execute " + command.Id);
        return await script.Execute(command, gate, ct);
    }

    public async ValueTask<IReadOnlyList<Reading>> ReadNowAsync(IReadOnlyList<Tag> tags, CancellationToken ct) => await script.ReadNow(tags);

    public void Put(params Record[] records) => Batches.Writer.TryWrite(new() { Records = records });
    public void Put(params Reading[] readings) => Batches.Writer.TryWrite(new() { Readings = readings });
    public void Put(SourceBatch batch) => Batches.Writer.TryWrite(batch);
    public void Fault(Exception e) => Batches.Writer.TryComplete(e);
}

/// <summary>Hides the capabilities a script does not have: what a connector can do is which interfaces it implements.</summary>
sealed class SourceOnly(Instance inner) : ISource
{
    public ValueTask OpenAsync(OpenMode mode, CancellationToken ct) => inner.OpenAsync(mode, ct);
    public ValueTask CloseAsync(CloseReason why, CancellationToken ct) => inner.CloseAsync(why, ct);
    public ValueTask DisposeAsync() => inner.DisposeAsync();
    public IAsyncEnumerable<SourceBatch> ReadAsync(CancellationToken ct) => inner.ReadAsync(ct);
}

sealed class SinkOnly(Instance inner) : ISink
{
    public ValueTask OpenAsync(OpenMode mode, CancellationToken ct) => inner.OpenAsync(mode, ct);
    public ValueTask CloseAsync(CloseReason why, CancellationToken ct) => inner.CloseAsync(why, ct);
    public ValueTask DisposeAsync() => inner.DisposeAsync();
    public ValueTask<WriteResult> WriteAsync(IReadOnlyList<SinkRecord> batch, CancellationToken ct) => inner.WriteAsync(batch, ct);
}

sealed class DeviceLike(Instance inner, Script script) : ISource, ICommandTarget, IReadable, IReconfigurable<FakeConfig>
{
    public ValueTask OpenAsync(OpenMode mode, CancellationToken ct) => inner.OpenAsync(mode, ct);
    public ValueTask CloseAsync(CloseReason why, CancellationToken ct) => inner.CloseAsync(why, ct);
    public ValueTask DisposeAsync() => inner.DisposeAsync();
    public IAsyncEnumerable<SourceBatch> ReadAsync(CancellationToken ct) => inner.ReadAsync(ct);
    public ValueTask<CommandResult> ExecuteAsync(Command command, ISendGate gate, CancellationToken ct) => inner.ExecuteAsync(command, gate, ct);
    public ValueTask<IReadOnlyList<Reading>> ReadNowAsync(IReadOnlyList<Tag> tags, CancellationToken ct) => inner.ReadNowAsync(tags, ct);
    public ValueTask<ApplyResult> TryApplyAsync(FakeConfig next, CancellationToken ct) => new(script.Apply?.Invoke(next) ?? new ApplyResult.NeedsRestart("not scripted"));
}

sealed class FakeFactory(Script script) : IConnectorFactory<FakeConfig>
{
    public ConnectorInfo Info { get; } = new("fake", "A fake.", script.Roles);

    public IConnector Create(FakeConfig config, ConnectorContext context)
    {
        var instance = new Instance(script, context, script.Instances.Count);
        script.Instances.Add(instance);
        if (script.Roles == ConnectorRoles.Source) return new SourceOnly(instance);
        if (script.Roles == ConnectorRoles.Sink) return new SinkOnly(instance);
        return new DeviceLike(instance, script);
    }

    public IEnumerable<TagDefinition> Tags(FakeConfig config) => config.Tags;
}

sealed class Meters : IMeterFactory
{
    readonly List<Meter> _meters = [];

    public Meter Create(MeterOptions options)
    {
        options.Scope = this;
        var meter = new Meter(options);
        _meters.Add(meter);
        return meter;
    }

    public void Dispose() => _meters.ForEach(m => m.Dispose());
}

/// <summary>Builds configurations and workers for tests.</summary>
static class Gateway
{
    public const string Name = "plant-test";

    public static ConnectorConfig Connector(string name, Script script, CommonOptions? common = null, FakeConfig? config = null, string hash = "1")
        => new(name, $"/config/{name}.json", Plugin.From(new FakeFactory(script)), common ?? new() { Connector = "fake" }, config ?? new(), "{}", hash);

    public static LoadedConfig Config(params ConnectorConfig[] connectors) => new()
    {
        Folder = "/config", Gateway = new() { Name = Name }, GatewayText = "", Connectors = connectors, Problems = [],
    };

    public static Worker Worker(IEventLog log, TimeProvider? time = null, WorkerOptions? options = null, ILoggerFactory? loggers = null)
        => new(options ?? new() { InstallId = "test0000" }, log, loggers ?? NullLoggerFactory.Instance, time ?? TimeProvider.System, new Meters());

    public static async Task<Worker> StartAsync(IEventLog log, LoadedConfig config, TimeProvider? time = null, WorkerOptions? options = null)
    {
        var worker = Worker(log, time, options);
        await worker.StartAsync(config, CancellationToken.None);
        return worker;
    }

    /// <summary>Waits until something holds; looks again every few milliseconds.</summary>
    public static async Task UntilAsync(Func<bool> holds, string what, Func<string>? instead = null)
    {
        for (var i = 0; i < 1_000; i++)
        {
            if (holds()) return;
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }
        Assert.Fail("Never happened: " + what + (instead is null ? "" : "; instead: " + instead()));
    }
}
