using System.Text;
using IotGateway.Connect.Configs;
using IotGateway.Connect.Tasks;
using IotGateway.Connect.Tests.EventLog;
using IotGateway.Sdk;
using IotGateway.Sdk.Data;

namespace IotGateway.Connect.Tests.Tasks;

public sealed class SinkTests
{
    readonly MemoryEventLog _log = new();
    readonly Script _script = new() { Roles = ConnectorRoles.Sink };
    readonly List<string> _delivered = [];

    Worker? _worker;

    async Task<Worker> StartAsync(CommonOptions? common = null) => _worker = await Gateway.StartAsync(_log, Gateway.Config(Gateway.Connector("out", _script,
        common ?? new() { Connector = "fake", Topics = ["plant.*"], Retry = new() { Initial = TimeSpan.FromMilliseconds(10), Max = TimeSpan.FromMilliseconds(10) } })));

    static string Text(SinkRecord record) => Encoding.UTF8.GetString(record.Value!.Value.Span);

    void Deliver(IEnumerable<SinkRecord> records)
    {
        lock (_delivered) _delivered.AddRange(records.Select(Text));
    }

    Task DeliveredAsync(params string[] expected) => Gateway.UntilAsync(() =>
    {
        lock (_delivered) return _delivered.SequenceEqual(expected);
    }, "delivered " + string.Join(",", expected), () => string.Join(",", _delivered) + " " + _worker?.Snapshot("out")!.Tasks[0].LastError);

    [Fact]
    public async Task Delivers_matching_topics_and_goes_on_after_a_restart()
    {
        _script.Write = (batch, _) => { Deliver(batch); return Task.FromResult(new WriteResult(batch.Count)); };
        await _log.ProduceAsync("plant.a", "1", "2");
        await _log.ProduceAsync("other", "x");
        await using (var worker = await StartAsync())
        {
            await DeliveredAsync("1", "2");
            await _log.ProduceAsync("plant.a", "3");
            await DeliveredAsync("1", "2", "3");
            await Gateway.UntilAsync(() => worker.Snapshot("out")!.Tasks[0] is { RecordsOut: 3, Lag: 0 }, "counted");
        }
        await _log.ProduceAsync("plant.a", "4");
        await using var again = await StartAsync();
        await DeliveredAsync("1", "2", "3", "4");
    }

    [Fact]
    public async Task Latest_begins_with_the_next_record()
    {
        _script.Write = (batch, _) => { Deliver(batch); return Task.FromResult(new WriteResult(batch.Count)); };
        await _log.ProduceAsync("plant.a", "old");
        await using var worker = await StartAsync(new() { Connector = "fake", Topics = ["plant.*"], StartFrom = StartFrom.Latest });
        await Gateway.UntilAsync(() => worker.Snapshot("out")!.State == RunState.Running, "running");
        await _script.NextAsync();
        await Gateway.UntilAsync(() => worker.Snapshot("out")!.State == RunState.Running, "running");
        await _log.ProduceAsync("plant.new", "a");
        await DeliveredAsync("a");
    }

    [Fact]
    public async Task The_settled_prefix_is_stored_and_the_rest_comes_again_first()
    {
        var calls = new List<string>();
        _script.Write = (batch, _) =>
        {
            calls.Add(string.Join(",", batch.Select(Text)));
            var settled = calls.Count == 1 ? 2 : batch.Count;
            Deliver(batch.Take(settled));
            return Task.FromResult(new WriteResult(settled));
        };
        await _log.ProduceAsync("plant.a", "1", "2", "3");
        await using var worker = await StartAsync();
        await DeliveredAsync("1", "2", "3");
        Assert.Equal(["1,2,3", "3"], calls);
        Assert.Single(_script.Instances);
    }

    [Fact]
    public async Task Records_stay_as_they_are_until_they_are_settled_and_no_longer()
    {
        var (seen, calls) = (new List<SinkRecord>(), new List<string>());
        _script.Write = (batch, _) =>
        {
            calls.Add(string.Join(",", batch.Select(Text)) + (seen.Count > 0 ? " after " + string.Join(",", seen.Select(Text)) : ""));
            seen = [.. batch];
            return Task.FromResult(new WriteResult(1));
        };
        await _log.ProduceAsync("plant.a", "1", "2");
        await using var worker = await StartAsync();
        await Gateway.UntilAsync(() => worker.Snapshot("out")!.Tasks[0].RecordsOut == 2, "delivered");
        await _log.ProduceAsync("plant.a", "3");
        await Gateway.UntilAsync(() => worker.Snapshot("out")!.Tasks[0].RecordsOut == 3, "delivered");
        Assert.Equal(["1,2", "2 after 1,2", "3 after !"], calls);
    }

    [Fact]
    public async Task A_throw_settles_nothing()
    {
        var calls = new List<string>();
        _script.Write = (batch, _) =>
        {
            calls.Add(string.Join(",", batch.Select(Text)));
            if (calls.Count == 1) throw new IOException("broker away");
            Deliver(batch);
            return Task.FromResult(new WriteResult(batch.Count));
        };
        await _log.ProduceAsync("plant.a", "1", "2");
        await using var worker = await StartAsync();
        await DeliveredAsync("1", "2");
        Assert.Equal(["1,2", "1,2"], calls);
        Assert.Equal(2, _script.Instances.Count);
        Assert.Empty(_log.Records("gateway.dead-letters"));
    }

    [Fact]
    public async Task A_sink_that_settles_nothing_is_backed_off()
    {
        var calls = 0;
        _script.Write = (batch, _) => Task.FromResult(new WriteResult(++calls < 3 ? 0 : batch.Count));
        await _log.ProduceAsync("plant.a", "1");
        await using var worker = await StartAsync();
        await Gateway.UntilAsync(() => worker.Snapshot("out")!.Tasks[0].RecordsOut == 1, "delivered");
        Assert.Equal(3, _script.Instances.Count);
    }

    [Fact]
    public async Task Records_that_nothing_can_open_are_passed_and_told_and_hold_up_no_others()
    {
        _script.Write = (batch, _) => { Deliver(batch); return Task.FromResult(new WriteResult(batch.Count)); };
        _log.Unreadable = "damaged";
        await _log.ProduceAsync("plant.a", "1", "damaged", "2");
        await using var worker = await StartAsync();
        await DeliveredAsync("1", "2");
        await Gateway.UntilAsync(() => worker.Snapshot("out")!.Tasks[0] is { DeadLetters: 1, Lag: 0 }, "counted");
        Assert.Single(_script.Instances);
        var headers = Assert.Single(_log.Records("gateway.dead-letters")).Headers.ToDictionary(h => h.Name, h => Encoding.UTF8.GetString(h.Value!.Value.Span));
        Assert.Equal(("out", "plant.a", "0", "1"), (headers["connector"], headers["topic"], headers["partition"], headers["offset"]));
        Assert.Contains("cannot be opened", headers["reason"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_rejected_goes_to_the_dead_letters_whole_and_with_its_reason()
    {
        _script.Write = (batch, _) =>
        {
            Deliver(batch.Where(r => Text(r) != "poison"));
            return Task.FromResult(new WriteResult(batch.Count, [.. batch.Select((r, i) => (r, i)).Where(r => Text(r.r) == "poison").Select(r => new Rejection(r.i, "too large for the cloud"))]));
        };
        await _log.ProduceAsync("plant.a", "1", "poison", "2");
        await using var worker = await StartAsync();
        await DeliveredAsync("1", "2");
        await Gateway.UntilAsync(() => worker.Snapshot("out")!.Tasks[0].DeadLetters == 1, "counted");
        var dead = Assert.Single(_log.Records("gateway.dead-letters"));
        Assert.Equal("poison", Text(dead));
        var headers = dead.Headers.ToDictionary(h => h.Name, h => Encoding.UTF8.GetString(h.Value!.Value.Span));
        Assert.Equal(("out", "plant.a", "0", "1", "too large for the cloud"), (headers["connector"], headers["topic"], headers["partition"], headers["offset"], headers["reason"]));
    }

    [Fact]
    public async Task A_wildcard_never_takes_the_gateways_own_topics()
    {
        _script.Write = (batch, _) => { Deliver(batch); return Task.FromResult(new WriteResult(batch.Count)); };
        await _log.ProduceAsync("gateway.commands", "c");
        await _log.ProduceAsync("plant.a", "1");
        await using var worker = await StartAsync(new() { Connector = "fake", Topics = ["*"] });
        await DeliveredAsync("1");
    }

    [Fact]
    public async Task A_write_that_hangs_is_abandoned_at_stop_and_nothing_of_it_is_settled()
    {
        var forever = new TaskCompletionSource<WriteResult>();
        var writing = new TaskCompletionSource();
        _script.Write = (_, _) => { writing.TrySetResult(); return forever.Task; };
        await _log.ProduceAsync("plant.a", "1");
        var worker = await StartAsync();
        await writing.Task.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        await worker.StopAsync();
        Assert.Null(_log.Get("connect.positions", Encoding.UTF8.GetBytes("out\0plant.a\00")));
    }
}
