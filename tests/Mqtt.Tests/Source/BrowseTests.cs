using System.Diagnostics.Metrics;
using IotGateway.Connectors.Mqtt;
using IotGateway.Sdk;
using IotGateway.Sdk.Data;
using IotGateway.Tests.Mqtt.Brokers;

namespace IotGateway.Tests.Mqtt.Source;

/// <summary>Looking at live topics, and figures.</summary>
public sealed class BrowseTests
{
    static CancellationToken Ct => TestContext.Current.CancellationToken;

    static async Task<List<BrowseNode>> BrowseAsync(IBrowsable source, string? parent = null)
    {
        List<BrowseNode> found = [];
        await foreach (var node in source.BrowseAsync(parent, Ct)) found.Add(node);
        return found;
    }

    [Fact]
    public async Task Live_and_retained_topics_are_listed_with_a_sample_and_nothing_is_taken_from_the_running_session()
    {
        await using var broker = await Mosquitto.StartAsync();
        var gateway = new Gateway(broker.Address);
        await using var run = await gateway.Driver().StartAsync();
        await broker.PublishAsync("plant/a", ["21.5"], 1, "-r");
        var browsing = BrowseAsync((IBrowsable)run.Source);
        await broker.PublishAsync("plant/b", [new string('x', 500)], 1, "-r");
        await broker.PublishAsync("plant/c", ["""{"v":1}"""], 1, "-r");
        var found = await browsing;
        Assert.Equal(["plant/a", "plant/b", "plant/c"], found.Select(n => n.Id).Order());
        Assert.Equal((DataType.Float64, "retained: 21.5"), (found.Single(n => n.Id == "plant/a").Type, found.Single(n => n.Id == "plant/a").Detail));
        Assert.InRange(found.Single(n => n.Id == "plant/b").Detail!.Length, 100, 140);
        Assert.Equal(DataType.Structure, found.Single(n => n.Id == "plant/c").Type);
        await run.UntilAsync(s => s.Records.Count == 3);
        Assert.Equal(["plant/b"], (await BrowseAsync((IBrowsable)run.Source, "plant/b")).Select(n => n.Id));
    }

    [Fact]
    public async Task The_number_of_topics_is_bounded()
    {
        await using var broker = await Mosquitto.StartAsync();
        var gateway = new Gateway(broker.Address);
        var publishing = Task.Run(async () =>
        {
            await using var client = await Client.Clients.ConnectAsync(broker.Address, "publisher");
            for (var i = 0; i < 1_200; i++) await client.PublishAsync($"t/{i}", "1", retain: true);
        }, Ct);
        await publishing;
        await using var source = gateway.Create();
        Assert.Equal(1_000, (await BrowseAsync(source)).Count);
    }

    [Fact]
    public async Task Connection_window_and_redeliveries_are_measured()
    {
        List<(string Name, long Value)> seen = [];
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (instrument.Meter.Name == MqttMetrics.MeterName) l.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
        {
            foreach (var tag in tags)
                if (tag.Key == "connector" && tag.Value is "measured")
                    lock (seen) seen.Add((instrument.Name, value));
        });
        listener.Start();
        await using var broker = new FakeBroker();
        var gateway = new Gateway(broker.Address) { Name = "measured" };
        var disk = new TaskCompletionSource();
        var run = gateway.Driver(_ => disk.Task);
        var starting = run.StartAsync();
        var connection = await broker.AcceptSubscriberAsync();
        await starting;
        await connection.PublishAsync(1, "a", qos: 2);
        await connection.PublishAsync(1, "a", qos: 2, dup: true);
        await connection.PublishAsync(2, "b", dup: true);
        await connection.SilenceAsync();
        listener.RecordObservableInstruments();
        Assert.Contains(("connected", 1L), seen);
        Assert.Contains(("in_flight", 3L), seen);
        disk.SetResult();
        await run.UntilAsync(s => s.Records.Count == 2);
        Assert.Contains(("duplicates.possible", 1L), seen);
        Assert.Contains(("redelivered", 1L), seen);
        await run.CloseAsync();
        lock (seen) seen.Clear();
        listener.RecordObservableInstruments();
        Assert.Equal([("connected", 0L), ("in_flight", 0L)], seen.Order());
    }
}
