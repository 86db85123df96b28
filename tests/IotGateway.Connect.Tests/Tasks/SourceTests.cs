using System.Text;
using IotGateway.Connect.Configs;
using IotGateway.Connect.Tasks;
using IotGateway.Connect.Tests.EventLog;
using IotGateway.Log;
using IotGateway.Sdk;
using IotGateway.Sdk.Data;

namespace IotGateway.Connect.Tests.Tasks;

public sealed class SourceTests
{
    readonly MemoryEventLog _log = new();
    readonly Script _script = new();

    static Record Opaque(int n) => new() { Topic = "data", Value = Encoding.UTF8.GetBytes(n.ToString(System.Globalization.CultureInfo.InvariantCulture)) };

    Task<Worker> StartAsync(TimeProvider? time = null, CommonOptions? common = null)
        => Gateway.StartAsync(_log, Gateway.Config(Gateway.Connector("src", _script, common)), time);

    [Fact]
    public async Task Appends_in_order_and_confirms_in_order_after_durable()
    {
        await using var worker = await StartAsync();
        var source = await _script.NextAsync();
        var confirmed = new List<(int Batch, int Durable)>();
        for (var i = 0; i < 50; i++)
        {
            var n = i;
            source.Put(new SourceBatch { Records = [Opaque(n)], OnDurable = _ => { confirmed.Add((n, _log.Records("data").Count)); return default; } });
        }
        await Gateway.UntilAsync(() => confirmed.Count == 50, "all confirmed");
        Assert.Equal(Enumerable.Range(0, 50), confirmed.Select(c => c.Batch));
        Assert.All(confirmed, c => Assert.True(c.Durable > c.Batch));
        Assert.Equal(Enumerable.Range(0, 50).Select(i => $"{i}"), _log.Texts("data"));
    }

    [Fact]
    public async Task A_slow_log_stops_the_pulling()
    {
        await using var worker = await StartAsync();
        var source = await _script.NextAsync();
        await Gateway.UntilAsync(() => worker.Snapshot("src")!.State == RunState.Running, "running");
        _log.Hold();
        for (var i = 0; i < 1_000; i++) source.Put(Opaque(i));
        await Gateway.UntilAsync(() => source.Pulled >= 4, "pulling");
        var last = 0;
        // It comes to rest: nothing more is pulled although a thousand wait.
        await Gateway.UntilAsync(() => last == (last = source.Pulled) && source.Pulled > 0, "rest");
        Assert.InRange(source.Pulled, 4, 8);
        _log.Release();
        await Gateway.UntilAsync(() => _log.Records("data").Count == 1_000, "all appended");
    }

    [Fact]
    public async Task State_is_in_the_same_append_and_is_there_after_a_restart()
    {
        await using (var worker = await StartAsync())
        {
            var source = await _script.NextAsync();
            Assert.Empty(source.Context.State);
            source.Put(new SourceBatch { Records = [Opaque(1)], State = [new("position", new byte[] { 42 }), new("gone", new byte[] { 1 })] });
            source.Put(new SourceBatch { State = [new("gone", null)] });
            await Gateway.UntilAsync(() => worker.Snapshot("src")!.Tasks[0].RecordsIn == 1 && _log.Get("connect.state", Encoding.UTF8.GetBytes("src\0gone")) is null, "durable",
                () => $"{worker.Snapshot("src")!.Tasks[0]} {_log.Scan("connect.state").Count}");
            await source.Context.SaveAsync([new("saved", new byte[] { 7 })], CancellationToken.None);
        }
        await using var again = await StartAsync();
        var next = await _script.NextAsync();
        Assert.Equal(["position", "saved"], next.Context.State.Keys.Order());
        Assert.Equal([42], next.Context.State["position"].ToArray());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_an_instance_saves_while_it_closes_is_there_for_the_next_and_later_saves_are_refused(bool fault)
    {
        _script.Close = (instance, _, ct) => instance.Context.SaveAsync([new("mark", new byte[] { 9 })], ct).AsTask();
        var worker = await StartAsync();
        await using var _ = worker;
        var source = await _script.NextAsync();
        await Gateway.UntilAsync(() => worker.Snapshot("src")!.State == RunState.Running, "running");
        if (fault) source.Fault(new IOException("cut"));
        else await worker.RestartAsync("src", null, CancellationToken.None);
        var next = await _script.NextAsync();
        Assert.Equal([9], next.Context.State["mark"].ToArray());
        await Assert.ThrowsAsync<OperationCanceledException>(() => source.Context.SaveAsync([new("late", new byte[] { 1 })], CancellationToken.None).AsTask());
    }

    [Fact]
    public async Task A_position_never_overtakes_the_data_below_it()
    {
        await using var worker = await StartAsync();
        var source = await _script.NextAsync();
        await Gateway.UntilAsync(() => worker.Snapshot("src")!.State == RunState.Running, "running");
        _log.Hold();
        source.Put(Opaque(1));
        await Gateway.UntilAsync(() => _log.Waiting > 0, "first in line");
        source.Put(new SourceBatch { Records = [Opaque(2)], State = [new("position", new byte[] { 2 })] });
        await Gateway.UntilAsync(() => source.Pulled == 2, "second pulled");
        Assert.Equal(1, _log.Waiting);
        _log.FailNext(new LogFullException("full"));
        _log.Release();
        await Gateway.UntilAsync(() => _log.Records("data").Count == 2, "both appended");
        Assert.Equal(["1", "2"], _log.Texts("data"));
    }

    [Fact]
    public async Task A_full_disk_is_waited_out_without_a_fault()
    {
        await using var worker = await StartAsync();
        var source = await _script.NextAsync();
        await Gateway.UntilAsync(() => worker.Snapshot("src")!.State == RunState.Running, "running");
        _log.FailNext(new LogFullException("full"));
        var confirmed = 0;
        source.Put(new SourceBatch { Records = [Opaque(1)], OnDurable = _ => { confirmed++; return default; } });
        await Gateway.UntilAsync(() => confirmed == 1, "confirmed in the end");
        Assert.Equal(["1"], _log.Texts("data"));
        Assert.Single(_script.Instances);
    }

    [Fact]
    public async Task What_comes_while_the_disk_is_full_does_not_overtake_what_waits_for_it()
    {
        await using var worker = await StartAsync();
        var source = await _script.NextAsync();
        await Gateway.UntilAsync(() => worker.Snapshot("src")!.State == RunState.Running, "running");
        _log.Hold();
        for (var i = 1; i <= 2; i++) source.Put(new SourceBatch { Records = [Opaque(i)] });
        await Gateway.UntilAsync(() => _log.Waiting == 2, "both in line");
        for (var i = 0; i < 2; i++) _log.FailNext(new LogFullException("full"));
        _log.Release();
        await Gateway.UntilAsync(() => _log.Waiting == 0, "both refused");
        await Task.Delay(200, TestContext.Current.CancellationToken); // the pause they wait for is a second
        for (var i = 3; i <= 5; i++) source.Put(new SourceBatch { Records = [Opaque(i)] });
        await Gateway.UntilAsync(() => _log.Records("data").Count == 5, "all appended");
        Assert.Equal(["1", "2", "3", "4", "5"], _log.Texts("data"));
    }

    [Fact]
    public async Task Nothing_is_confirmed_once_closing_has_begun()
    {
        var worker = await StartAsync();
        var source = await _script.NextAsync();
        await Gateway.UntilAsync(() => worker.Snapshot("src")!.State == RunState.Running, "running");
        _log.Hold();
        var confirmed = 0;
        source.Put(new SourceBatch { Records = [Opaque(1)], OnDurable = _ => { confirmed++; return default; } });
        await Gateway.UntilAsync(() => _log.Waiting > 0, "in line");
        source.Fault(new IOException("cable cut"));
        await Gateway.UntilAsync(() => source.Closed == CloseReason.Fault, "closed");
        _log.Release();
        await Gateway.UntilAsync(() => _log.Records("data").Count == 1, "durable after all");
        Assert.Equal(0, confirmed);
        await worker.DisposeAsync();
        Assert.Equal(0, confirmed);
    }

    [Fact]
    public async Task A_stop_lets_what_is_on_its_way_be_confirmed_before_closing()
    {
        var worker = await StartAsync();
        var source = await _script.NextAsync();
        await Gateway.UntilAsync(() => worker.Snapshot("src")!.State == RunState.Running, "running");
        _log.Hold();
        source.Put(new SourceBatch { Records = [Opaque(1)], OnDurable = _ => { _script.Note("confirmed"); return default; } });
        await Gateway.UntilAsync(() => _log.Waiting > 0, "in line");
        var stopping = worker.StopAsync();
        _log.Release();
        await stopping;
        Assert.Equal(["open", "confirmed", "close Stop", "dispose"], _script.Noted());
    }

    [Fact]
    public async Task A_throw_in_OnDurable_faults_the_instance()
    {
        await using var worker = await StartAsync(common: new() { Connector = "fake", Retry = new() { Initial = TimeSpan.FromMilliseconds(10) } });
        var source = await _script.NextAsync();
        source.Put(new SourceBatch { Records = [Opaque(1)], OnDurable = _ => throw new IOException("PUBACK not sent") });
        var second = await _script.NextAsync();
        Assert.Equal(1, second.Number);
        Assert.Equal(CloseReason.Fault, source.Closed);
        Assert.True(source.Disposed);
        Assert.Equal("PUBACK not sent", worker.Snapshot("src")!.Tasks[0].LastError);
    }

    [Fact]
    public async Task Backs_off_longer_each_time_up_to_the_cap()
    {
        var time = new ManualTime();
        _script.Open = (_, _) => throw new IOException("connection refused");
        await using var worker = await StartAsync(time);
        foreach (var most in (double[])[1, 2, 4, 8, 16, 30, 30])
        {
            await Gateway.UntilAsync(() => worker.Snapshot("src")!.State == RunState.Retrying && time.Waits.Any(w => w > TimeSpan.Zero), "retrying");
            var task = worker.Snapshot("src")!.Tasks[0];
            var pause = task.NextTry!.Value - time.GetUtcNow();
            Assert.InRange(pause.TotalSeconds, most * 0.8, most);
            Assert.Equal("connection refused", task.LastError);
            var attempt = task.Attempt;
            time.Advance(pause);
            await Gateway.UntilAsync(() => worker.Snapshot("src")!.Tasks[0].Attempt == attempt + 1 && worker.Snapshot("src")!.State == RunState.Retrying, "next attempt");
        }
        Assert.All(_script.Instances, i => Assert.True(i.Disposed));
    }

    [Fact]
    public async Task A_permanent_failure_waits_for_a_human()
    {
        _script.Open = (_, _) => throw new PermanentException("Wrong password for 'gw'.");
        await using var worker = await StartAsync();
        await Gateway.UntilAsync(() => worker.Snapshot("src")!.State == RunState.Failed, "failed");
        Assert.Equal("Wrong password for 'gw'.", worker.Snapshot("src")!.Tasks[0].LastError);
        Assert.Single(_script.Instances);
        _script.Open = (_, _) => Task.CompletedTask;
        Assert.True(await worker.RestartAsync("src", null, CancellationToken.None));
        await Gateway.UntilAsync(() => worker.Snapshot("src")!.State == RunState.Running, "running again");
    }

    [Fact]
    public async Task Pause_closes_with_its_reason_and_survives_a_restart_of_the_process()
    {
        await using (var worker = await StartAsync())
        {
            var source = await _script.NextAsync();
            Assert.True(await worker.PauseAsync("src", CancellationToken.None));
            Assert.Equal(CloseReason.Pause, source.Closed);
            Assert.Equal(RunState.Paused, worker.Snapshot("src")!.State);
        }
        await using var again = await StartAsync();
        await Gateway.UntilAsync(() => again.Snapshot("src")!.State == RunState.Paused, "still paused");
        Assert.Single(_script.Instances);
        Assert.True(await again.ResumeAsync("src", CancellationToken.None));
        await Gateway.UntilAsync(() => again.Snapshot("src")!.State == RunState.Running, "running");
        Assert.False(await again.PauseAsync("nobody", CancellationToken.None));
    }

    [Theory]
    [InlineData("open")]
    [InlineData("open-blocking")]
    [InlineData("read")]
    [InlineData("close")]
    [InlineData("dispose")]
    [InlineData("confirm")]
    public async Task Whatever_hangs_the_others_run_and_all_stop_in_time(string where)
    {
        var forever = new TaskCompletionSource();
        using var block = new ManualResetEventSlim();
        var bad = new Script
        {
            Open = (i, _) =>
            {
                if (where == "open") return forever.Task;
                if (where == "open-blocking") block.Wait(CancellationToken.None);
                return Task.CompletedTask;
            },
            Close = (_, _, _) => where == "close" ? forever.Task : Task.CompletedTask,
            Dispose = _ => where == "dispose" ? forever.Task : Task.CompletedTask,
        };
        var worker = await Gateway.StartAsync(_log, Gateway.Config(Gateway.Connector("bad", bad), Gateway.Connector("src", _script)));
        var source = await _script.NextAsync();
        source.Put(Opaque(1));
        await _log.UntilAsync(() => _log.Records("data").Count == 1, "the healthy one works");
        if (where is "read" or "confirm")
        {
            var sick = await bad.NextAsync();
            sick.Put(new SourceBatch { Records = [Opaque(2)], OnDurable = _ => new(where == "confirm" ? forever.Task : Task.CompletedTask) });
            await _log.UntilAsync(() => _log.Records("data").Count == 2, "the sick one is in the middle");
        }
        var started = TimeProvider.System.GetTimestamp();
        await worker.StopAsync();
        Assert.InRange(TimeProvider.System.GetElapsedTime(started), TimeSpan.Zero, TimeSpan.FromSeconds(10));
        Assert.True(source.Disposed);
        block.Set();
        forever.TrySetResult();
    }

    [Fact]
    public async Task An_open_that_takes_too_long_is_a_fault()
    {
        var time = new ManualTime();
        _script.Open = (_, ct) => Task.Delay(Timeout.InfiniteTimeSpan, ct);
        await using var worker = await StartAsync(time, new() { Connector = "fake", OpenTimeout = TimeSpan.FromSeconds(5) });
        await Gateway.UntilAsync(() => time.Waits.Contains(TimeSpan.FromSeconds(5)), "waiting");
        time.Advance(TimeSpan.FromSeconds(5));
        await Gateway.UntilAsync(() => worker.Snapshot("src")!.State == RunState.Retrying, "retrying");
        Assert.Equal("Connecting took longer than 5 s.", worker.Snapshot("src")!.Tasks[0].LastError);
    }

    [Fact]
    public async Task Last_values_survive_a_restart()
    {
        await using (await StartAsync())
        {
            var source = await _script.NextAsync();
            var tag = source.Context.Tag("press1", "temperature", DataType.Float32, "°C")!;
            Assert.Same(tag, source.Context.Tag("press1", "temperature", DataType.Float32, "°C"));
            Assert.False(source.Context.TryGetLast(tag, out _));
            source.Put(new Reading(tag, Value.Of(1f), default, DateTime.UtcNow), new Reading(tag, Value.Of(21.1f), default, DateTime.UtcNow));
            await _log.UntilAsync(() => source.Context.TryGetLast(tag, out _), "durable");
        }
        await using var worker = await StartAsync();
        var next = await _script.NextAsync();
        Assert.True(next.Context.TryGetLast(next.Context.Tag("press1", "temperature", DataType.Float32, "°C")!, out var last));
        Assert.Equal(Value.Of(21.1f), last.Value);
        Assert.Equal("press1/temperature", Assert.Single(worker.LastValues("src")).Tag.ToString());
    }

    [Fact]
    public async Task Tags_beyond_the_limit_are_refused_and_counted()
    {
        await using var worker = await StartAsync(common: new() { Connector = "fake", Limits = new() { Tags = 2 } });
        var context = (await _script.NextAsync()).Context;
        Assert.NotNull(context.Tag("d", "a", DataType.Bool));
        Assert.NotNull(context.Tag("d", "b", DataType.Bool));
        Assert.Null(context.Tag("d", "c", DataType.Bool));
        Assert.NotNull(context.Tag("d", "a", DataType.Bool));
        Assert.Equal((2, 1L), (worker.Snapshot("src")!.Tags, worker.Snapshot("src")!.TagsRefused));
        Assert.Throws<ArgumentException>(() => context.Tag("d/e", "a", DataType.Bool));
    }

    [Fact]
    public async Task A_device_belongs_to_one_connector()
    {
        var other = new Script();
        await using var worker = await Gateway.StartAsync(_log, Gateway.Config(Gateway.Connector("src", _script), Gateway.Connector("other", other)));
        Assert.NotNull((await _script.NextAsync()).Context.Tag("press1", "a", DataType.Bool));
        var context = (await other.NextAsync()).Context;
        var e = Assert.Throws<PermanentException>(() => context.Tag("press1", "b", DataType.Bool));
        Assert.Contains("'src'", e.Message, StringComparison.Ordinal);
    }
}
