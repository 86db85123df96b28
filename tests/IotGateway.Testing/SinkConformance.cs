using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using IotGateway.Sdk;
using IotGateway.Sdk.Data;

namespace IotGateway.Testing;

/// <summary>What every sink owes. A connector's test class derives from it and gives a peer; the tests come with it.</summary>
public abstract class SinkConformance<TConfig> where TConfig : class
{
    /// <summary>Starts a peer of its own for one test; may skip where it cannot run.</summary>
    protected abstract Task<SinkPeer<TConfig>> StartPeerAsync();

    /// <summary>What is settled has arrived, in order.</summary>
    [Fact]
    public async Task Delivers_in_order_what_it_calls_settled()
    {
        await using var peer = await StartPeerAsync();
        var sink = await OpenAsync(peer);
        var settled = 0;
        for (var i = 0; settled < 200 && i < 20; i++) settled += (await sink.WriteAsync(Records(settled, 200 - settled), Limit(60))).Settled;
        Assert.Equal(200, settled);
        var arrived = await peer.ArrivedAsync();
        Assert.Equal(Enumerable.Range(0, 200), arrived.Distinct());
        Assert.Equal(arrived.Order(), arrived);
        await CloseAsync(sink);
    }

    /// <summary>The memory of what is settled is used again: a sink that still looked at it would deliver something else.</summary>
    [Fact]
    public async Task Looks_no_more_at_what_it_has_called_settled()
    {
        await using var peer = await StartPeerAsync();
        var sink = await OpenAsync(peer);
        var settled = 0;
        for (var i = 0; settled < 200 && i < 40; i++)
        {
            var batch = Records(settled, Math.Min(20, 200 - settled));
            var result = await sink.WriteAsync(batch, Limit(60));
            foreach (var record in batch.Take(result.Settled))
                foreach (var bytes in new[] { record.Key, record.Value }.Concat(record.Headers.Select(h => h.Value)))
                    if (bytes is { } there) MemoryMarshal.AsMemory(there).Span.Fill((byte)'!');
            settled += result.Settled;
        }
        Assert.Equal(200, settled);
        var arrived = await peer.ArrivedAsync();
        Assert.Equal(Enumerable.Range(0, 200), arrived.Distinct());
        await CloseAsync(sink);
    }

    /// <summary>A batch repeated after a fault does no harm beyond repetition.</summary>
    [Fact]
    public async Task Takes_the_same_batch_again_from_a_new_instance()
    {
        await using var peer = await StartPeerAsync();
        for (var run = 0; run < 2; run++)
        {
            var sink = await OpenAsync(peer);
            Assert.Equal(50, (await sink.WriteAsync(Records(0, 50), Limit(60))).Settled);
            await CloseAsync(sink);
        }
        Assert.Equal(Enumerable.Range(0, 50), (await peer.ArrivedAsync()).Distinct().Order());
    }

    /// <summary>While the peer is away nothing is called settled or rejected; afterwards all arrives.</summary>
    [Fact]
    public async Task An_outage_settles_nothing_and_rejects_nothing()
    {
        await using var peer = await StartPeerAsync();
        if (!peer.CanGoAway) Assert.Skip("The peer cannot go away.");
        var sink = await OpenAsync(peer);
        Assert.Equal(10, (await sink.WriteAsync(Records(0, 10), Limit(60))).Settled);
        await peer.AwayAsync();
        try
        {
            var during = await sink.WriteAsync(Records(10, 10), Limit(120));
            Assert.Empty(during.Rejected);
            Assert.Equal(0, during.Settled);
        }
        catch (Exception e) when (e is not (PermanentException or Xunit.Sdk.XunitException))
        {
            Assert.NotNull(e.Message); // a throw settles nothing either, and faults the instance
        }
        await CloseAsync(sink);
        await peer.BackAsync();
        sink = await OpenAsync(peer);
        var settled = 10;
        for (var i = 0; settled < 20 && i < 20; i++) settled += (await sink.WriteAsync(Records(settled, 20 - settled), Limit(60))).Settled;
        await CloseAsync(sink);
        Assert.Equal(Enumerable.Range(0, 20), (await peer.ArrivedAsync()).Distinct());
    }

    /// <summary>A record that can never be delivered is named by its index, and the others are delivered.</summary>
    [Fact]
    public async Task Rejects_by_index_what_can_never_be_delivered()
    {
        await using var peer = await StartPeerAsync();
        if (peer.Undeliverable is not { } poison) { Assert.Skip("The peer takes everything."); return; }
        var sink = await OpenAsync(peer);
        List<SinkRecord> batch = [.. Records(0, 5), poison with { Offset = 5 }, .. Records(6, 4)];
        var result = await sink.WriteAsync(batch, Limit(60));
        Assert.Equal(batch.Count, result.Settled);
        Assert.Equal([5], result.Rejected.Select(r => r.Index));
        Assert.NotEmpty(result.Rejected[0].Reason);
        await CloseAsync(sink);
        Assert.Equal([0, 1, 2, 3, 4, 6, 7, 8, 9], (await peer.ArrivedAsync()).Distinct());
    }

    /// <summary>Closing and disposing end soon, also while the peer is away.</summary>
    [Fact]
    public async Task Closes_promptly_while_the_peer_is_away()
    {
        await using var peer = await StartPeerAsync();
        if (!peer.CanGoAway) Assert.Skip("The peer cannot go away.");
        var sink = await OpenAsync(peer);
        await peer.AwayAsync();
        var started = TimeProvider.System.GetTimestamp();
        await CloseAsync(sink);
        Assert.InRange(TimeProvider.System.GetElapsedTime(started), TimeSpan.Zero, TimeSpan.FromSeconds(5));
    }

    static async Task<ISink> OpenAsync(SinkPeer<TConfig> peer)
    {
        var sink = (ISink)peer.Factory.Create(peer.Config, new FakeContext(new DurableStore()));
        await sink.OpenAsync(OpenMode.Run, Limit(30));
        return sink;
    }

    static async Task CloseAsync(ISink sink)
    {
        await sink.CloseAsync(CloseReason.Stop, Limit(5));
        await sink.DisposeAsync();
    }

    static CancellationToken Limit(int seconds) => new CancellationTokenSource(TimeSpan.FromSeconds(seconds)).Token;

    static List<SinkRecord> Records(int from, int count) => [.. Enumerable.Range(from, count).Select(n => new SinkRecord
    {
        Topic = "conformance",
        Partition = 0,
        Offset = n,
        Timestamp = 1_790_000_000_000 + n,
        Key = "key"u8.ToArray(),
        Value = Encoding.UTF8.GetBytes(n.ToString(CultureInfo.InvariantCulture)),
    })];
}

/// <summary>The other side of a sink, for <see cref="SinkConformance{TConfig}"/>.</summary>
public abstract class SinkPeer<TConfig> : IAsyncDisposable where TConfig : class
{
    /// <summary>The plugin under test.</summary>
    public abstract IConnectorFactory<TConfig> Factory { get; }

    /// <summary>A configuration that reaches this peer.</summary>
    public abstract TConfig Config { get; }

    /// <summary>Whether <see cref="AwayAsync"/> and <see cref="BackAsync"/> work.</summary>
    public virtual bool CanGoAway => true;

    /// <summary>A record of topic <c>conformance</c> that this peer refuses for good; null when there is none.</summary>
    public virtual SinkRecord? Undeliverable => null;

    /// <summary>The numbers that arrived, in the order an independent client finds them.</summary>
    public abstract Task<IReadOnlyList<int>> ArrivedAsync();

    /// <summary>Goes away.</summary>
    public virtual Task AwayAsync() => throw new NotSupportedException();

    /// <summary>Comes back on the same address and data.</summary>
    public virtual Task BackAsync() => throw new NotSupportedException();

    /// <inheritdoc/>
    public abstract ValueTask DisposeAsync();
}
