using System.Diagnostics.Metrics;
using System.Text;
using IotGateway.Connect.Configs;
using IotGateway.Connect.EventLog;
using IotGateway.Connect.Tasks;
using IotGateway.Connect.Tests.EventLog;
using IotGateway.Log;
using IotGateway.Sdk;
using IotGateway.Sdk.Data;
using Microsoft.Extensions.Logging.Abstractions;

namespace IotGateway.Connect.Tests.Tasks;

public sealed class WorkerTests
{
    static CancellationToken Ct => TestContext.Current.CancellationToken;
    readonly MemoryEventLog _log = new();

    [Fact]
    public async Task A_changed_folder_starts_stops_and_restarts_only_what_changed()
    {
        var (same, gone, changed, fresh) = (new Script(), new Script(), new Script(), new Script());
        var (a, b, c) = (Gateway.Connector("same", same), Gateway.Connector("gone", gone), Gateway.Connector("changed", changed));
        await using var worker = await Gateway.StartAsync(_log, Gateway.Config(a, b, c));
        await Gateway.UntilAsync(() => worker.Snapshot().All(s => s.State == RunState.Running), "running");
        var diff = await worker.ApplyAsync(Gateway.Config(a, c with { ContentHash = "2" }, Gateway.Connector("fresh", fresh)), Ct);
        Assert.Equal((1, 1, 1, 1), (diff.Added.Count, diff.Removed.Count, diff.Changed.Count, diff.Unchanged.Count));
        await Gateway.UntilAsync(() => worker.Snapshot().All(s => s.State == RunState.Running), "running");
        Assert.Equal(["changed", "fresh", "same"], worker.Snapshot().Select(s => s.Name));
        Assert.Null(same.Instances[0].Closed);
        Assert.Equal(CloseReason.Remove, gone.Instances[0].Closed);
        Assert.Equal(CloseReason.Reconfigure, changed.Instances[0].Closed);
        Assert.Equal(2, changed.Instances.Count);
    }

    [Fact]
    public async Task A_connector_that_can_takes_the_change_while_it_runs()
    {
        var script = new Script { Roles = ConnectorRoles.Source | ConnectorRoles.Commands, Apply = _ => new ApplyResult.Applied() };
        var before = Gateway.Connector("press", script);
        await using var worker = await Gateway.StartAsync(_log, Gateway.Config(before));
        await Gateway.UntilAsync(() => worker.Snapshot("press")!.State == RunState.Running, "running");
        await worker.ApplyAsync(Gateway.Config(before with { ContentHash = "2" }), Ct);
        Assert.Equal("2", worker.Snapshot("press")!.Config.ContentHash);
        Assert.Null(Assert.Single(script.Instances).Closed);
        script.Apply = _ => throw new IOException("broken in the middle");
        await worker.ApplyAsync(Gateway.Config(before with { ContentHash = "3" }), Ct);
        await Gateway.UntilAsync(() => script.Instances.Count == 2, "restarted");
        Assert.Equal(CloseReason.Reconfigure, script.Instances[0].Closed);
    }

    [Fact]
    public async Task A_configuration_with_errors_changes_nothing()
    {
        var script = new Script();
        await using var worker = await Gateway.StartAsync(_log, Gateway.Config(Gateway.Connector("press", script)));
        var bad = Gateway.Config() with { Problems = [new("x.json", 1, 1, "", "Wrong.", "")] };
        await Assert.ThrowsAsync<InvalidOperationException>(() => worker.ApplyAsync(bad, Ct));
        Assert.Single(worker.Snapshot());
    }

    [Fact]
    public async Task A_disabled_connector_is_stopped_and_can_not_be_resumed()
    {
        var script = new Script();
        await using var worker = await Gateway.StartAsync(_log, Gateway.Config(Gateway.Connector("press", script, new() { Connector = "fake", Enabled = false })));
        Assert.Equal(RunState.Stopped, worker.Snapshot("press")!.State);
        Assert.False(await worker.ResumeAsync("press", Ct));
        Assert.Empty(script.Instances);
    }

    [Fact]
    public async Task A_bus_is_opened_once_closed_by_the_last_and_faults_for_all()
    {
        var (one, two) = (new Script(), new Script());
        await using var worker = await Gateway.StartAsync(_log, Gateway.Config(Gateway.Connector("one", one), Gateway.Connector("two", two)));
        var (a, b) = ((await one.NextAsync()).Context, (await two.NextAsync()).Context);
        var buses = new List<Bus>();
        ValueTask<Bus> Open(CancellationToken _)
        {
            buses.Add(new());
            return new(buses[^1]);
        }
        var first = await a.ShareAsync("serial:/dev/ttyS0", "9600 8N1", Open, Ct);
        var second = await b.ShareAsync("serial:/dev/ttyS0", "9600 8N1", Open, Ct);
        Assert.Same(first.Value, second.Value);
        var e = await Assert.ThrowsAsync<PermanentException>(async () => await b.ShareAsync("serial:/dev/ttyS0", "19200 8N1", Open, Ct));
        Assert.Contains("\"9600 8N1\"", e.Message, StringComparison.Ordinal);
        Assert.Contains("\"19200 8N1\"", e.Message, StringComparison.Ordinal);
        first.Fault(new IOException("unplugged"));
        Assert.True(second.Faulted.IsCancellationRequested);
        await using var anew = await a.ShareAsync("serial:/dev/ttyS0", "19200 8N1", Open, Ct);
        Assert.NotSame(first.Value, anew.Value);
        await first.DisposeAsync();
        Assert.False(buses[0].Disposed);
        await second.DisposeAsync();
        Assert.True(buses[0].Disposed);
        await Assert.ThrowsAsync<IOException>(async () => await a.ShareAsync<Bus>("tcp:x", "", _ => throw new IOException("refused"), Ct));
        await using var later = await a.ShareAsync("tcp:x", "", Open, Ct);
    }

    [Fact]
    public async Task A_probe_is_closed_and_leaves_nothing_and_a_running_instance_is_used_where_there_is_one()
    {
        var script = new Script { Roles = ConnectorRoles.Source | ConnectorRoles.Readable };
        var config = Gateway.Connector("press", script);
        await using var worker = Gateway.Worker(_log);
        Assert.Equal(0, await worker.UseAsync<int>(config, (_, context, _) => new(context.State.Count), Ct));
        Assert.Equal(["open", "close Stop", "dispose"], script.Noted());
        await worker.StartAsync(Gateway.Config(config), Ct);
        await Gateway.UntilAsync(() => worker.Snapshot("press")!.State == RunState.Running, "running");
        await worker.UseAsync<int>(config, (_, _, _) => new(0), Ct);
        Assert.Equal(2, script.Instances.Count);
    }

    [Fact]
    public async Task Sources_and_sinks_run_over_the_real_log_and_go_on_after_a_restart()
    {
        var directory = Directory.CreateTempSubdirectory("iotgateway-").FullName;
        var (source, sink) = (new Script(), new Script { Roles = ConnectorRoles.Sink });
        var delivered = new List<string>();
        sink.Write = (batch, _) =>
        {
            lock (delivered) delivered.AddRange(batch.Select(r => Encoding.UTF8.GetString(r.Value!.Value.Span)));
            return Task.FromResult(new WriteResult(batch.Count));
        };
        var config = Gateway.Config(Gateway.Connector("src", source, new() { Connector = "fake", Format = RecordFormat.Value }),
            Gateway.Connector("out", sink, new() { Connector = "fake", Topics = ["src"] }));
        const int batches = 20, size = 500;
        for (var run = 0; run < 2; run++)
        {
            await using var store = await LogStore.OpenAsync(new() { Directory = directory, WalBytes = 16 << 20, ReserveBytes = 1 << 20 }, NullLogger.Instance, TimeProvider.System, Ct);
            var log = new EmbeddedEventLog(store, config.Gateway, NullLogger<EmbeddedEventLog>.Instance);
            await using var worker = await Gateway.StartAsync(log, config);
            var instance = await source.NextAsync();
            var tag = instance.Context.Tag("d", "t", DataType.Int32)!;
            Assert.Equal(run > 0, instance.Context.TryGetLast(tag, out var last));
            if (run > 0) Assert.Equal(Value.Of(batches * size - 1), last.Value);
            var confirmed = 0;
            for (var b = 0; b < batches; b++)
            {
                var start = (run * batches + b) * size;
                instance.Put(new SourceBatch
                {
                    Readings = [.. Enumerable.Range(start, size).Select(i => new Reading(tag, Value.Of(i), default, DateTime.UtcNow))],
                    OnDurable = _ => { confirmed++; return default; },
                });
            }
            await Gateway.UntilAsync(() => confirmed == batches, "confirmed");
            await Gateway.UntilAsync(() => delivered.Count == (run + 1) * batches * size, "delivered", () => $"{delivered.Count}");
            await worker.StopAsync();
        }
        Assert.Equal(Enumerable.Range(0, 2 * batches * size).Select(i => $"{i}"), delivered);
        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public void The_names_of_the_figures_are_fixed()
    {
        using var listener = new MeterListener();
        var names = new SortedSet<string>(StringComparer.Ordinal);
        using var meters = new Meters();
        listener.InstrumentPublished = (instrument, _) =>
        {
            if (ReferenceEquals(instrument.Meter.Scope, meters)) names.Add(instrument.Name);
        };
        _ = new Metrics(meters, () => []);
        listener.Start();
        Assert.Equal("batches bytes commands commands.foreign dropped errors lag open.duration records rejected state write.duration", string.Join(' ', names));
    }

    sealed class Bus : IAsyncDisposable
    {
        public bool Disposed { get; private set; }

        public ValueTask DisposeAsync()
        {
            Disposed = true;
            return default;
        }
    }
}
