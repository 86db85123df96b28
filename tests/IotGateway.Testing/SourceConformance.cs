using IotGateway.Sdk;
using IotGateway.Sdk.Data;

namespace IotGateway.Testing;

/// <summary>
/// What every source owes. A connector's test class derives from it and gives a peer; the tests come with it. A property the
/// protocol cannot have (a sampled PLC cannot replay) is said by the peer and shows as a skipped test.
/// </summary>
public abstract class SourceConformance<TConfig> where TConfig : class
{
    /// <summary>Starts a peer (a broker, a device, a folder) of its own for one test; may skip where it cannot run.</summary>
    protected abstract Task<SourcePeer<TConfig>> StartPeerAsync();

    /// <summary>Opens, delivers what the peer sends, in order.</summary>
    [Fact]
    public async Task Delivers_in_order()
    {
        await using var peer = await StartPeerAsync();
        var store = new DurableStore();
        await using var run = await Start(peer, store);
        await peer.SendAsync(0, 50);
        await run.UntilAsync(s => Numbers(peer, s).Contains(49), what: "item 49");
        var seen = Numbers(peer, store);
        if (peer.Lossless) Assert.Equal(Enumerable.Range(0, 50), seen.Distinct());
        Assert.Equal(seen.Order(), seen);
    }

    /// <summary>Reading stops within two seconds of being told to, with nothing going on and with much going on.</summary>
    [Fact]
    public async Task Stops_promptly()
    {
        await using var peer = await StartPeerAsync();
        var run = await Start(peer, new DurableStore());
        await peer.SendAsync(0, 5);
        var started = TimeProvider.System.GetTimestamp();
        await run.CloseAsync();
        Assert.InRange(TimeProvider.System.GetElapsedTime(started), TimeSpan.Zero, TimeSpan.FromSeconds(5));
        Assert.Null(run.Fault);
    }

    /// <summary>Killed between taking and appending, the next instance delivers all that was not appended.</summary>
    [Fact]
    public async Task Loses_nothing_when_killed()
    {
        await using var peer = await StartPeerAsync();
        if (!peer.Resumes) Assert.Skip("The protocol keeps nothing for a client that is away.");
        var store = new DurableStore();
        var hold = new TaskCompletionSource();
        var first = await Start(peer, store);
        await peer.SendAsync(0, 10);
        await first.UntilAsync(s => Numbers(peer, s).Contains(9), what: "item 9");
        first.Gate = _ => hold.Task;
        await peer.SendAsync(10, 10);
        await first.KillAsync();
        await peer.SendAsync(20, 10);
        await using var second = await Start(peer, store);
        await second.UntilAsync(s => Numbers(peer, s).Contains(29), what: "item 29");
        Assert.Equal(Enumerable.Range(0, 30), Numbers(peer, store).Distinct().Order());
    }

    /// <summary>The peer is told nothing before the data is on disk.</summary>
    [Fact]
    public async Task Confirms_only_what_is_durable()
    {
        await using var peer = await StartPeerAsync();
        if (peer.Confirmed is not { } confirmed) { Assert.Skip("The peer cannot tell what it was confirmed."); return; }
        var store = new DurableStore();
        var hold = new TaskCompletionSource();
        await using var run = await Start(peer, store, _ => hold.Task);
        await peer.SendAsync(0, 10);
        await Task.Delay(TimeSpan.FromMilliseconds(500), TimeProvider.System);
        Assert.Equal(0, await confirmed());
        hold.SetResult();
        await run.UntilAsync(s => Numbers(peer, s).Contains(9), what: "item 9");
        for (var i = 0; i < 100 && await confirmed() < 10; i++) await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        Assert.Equal(10, await confirmed());
    }

    /// <summary>After the peer was away, a new instance (or the same) delivers again.</summary>
    [Fact]
    public async Task Delivers_again_after_the_peer_was_away()
    {
        await using var peer = await StartPeerAsync();
        if (!peer.CanRestart) Assert.Skip("The peer cannot go away.");
        var store = new DurableStore();
        var run = await Start(peer, store);
        await peer.SendAsync(0, 5);
        await run.UntilAsync(s => Numbers(peer, s).Contains(4), what: "item 4");
        await peer.RestartAsync();
        await run.CloseAsync(CloseReason.Fault);
        await using var again = await Start(peer, store);
        await peer.SendAsync(5, 5);
        await again.UntilAsync(s => Numbers(peer, s).Contains(9), what: "item 9");
    }

    /// <summary>Wrong credentials need a human: no retry loop.</summary>
    [Fact]
    public async Task Wrong_credentials_are_permanent()
    {
        await using var peer = await StartPeerAsync();
        if (peer.WrongCredentials is not { } config) { Assert.Skip("The peer asks for no credentials."); return; }
        var source = (ISource)peer.Factory.Create(config, new FakeContext(new DurableStore()));
        await Assert.ThrowsAsync<PermanentException>(async () => await source.OpenAsync(OpenMode.Run, TestContext.Current.CancellationToken));
        await source.DisposeAsync();
    }

    /// <summary>An instance that failed to open can still be closed and disposed.</summary>
    [Fact]
    public async Task Closes_after_a_failed_open()
    {
        await using var peer = await StartPeerAsync();
        var source = (ISource)peer.Factory.Create(peer.Config, new FakeContext(new DurableStore()));
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        try { await source.OpenAsync(OpenMode.Run, cancelled.Token); }
        catch (Exception e) when (e is not PermanentException) { Assert.NotNull(e.Message); }
        await source.CloseAsync(CloseReason.Fault, TestContext.Current.CancellationToken);
        await source.DisposeAsync();
    }

    /// <summary>Its own sample declares the roles its instances have.</summary>
    [Fact]
    public async Task Has_the_roles_it_declares()
    {
        await using var peer = await StartPeerAsync();
        await using var connector = peer.Factory.Create(peer.Config, new FakeContext(new DurableStore()));
        var roles = peer.Factory.Info.Roles;
        Assert.Equal(roles.HasFlag(ConnectorRoles.Source), connector is ISource);
        Assert.Equal(roles.HasFlag(ConnectorRoles.Sink), connector is ISink);
        Assert.Equal(roles.HasFlag(ConnectorRoles.Commands), connector is Sdk.Commands.ICommandTarget);
        Assert.Equal(roles.HasFlag(ConnectorRoles.Readable), connector is IReadable);
        Assert.Equal(roles.HasFlag(ConnectorRoles.Browsable), connector is IBrowsable);
    }

    static Task<SourceDriver> Start(SourcePeer<TConfig> peer, DurableStore store, Func<SourceBatch, Task>? gate = null)
    {
        var driver = new SourceDriver((ISource)peer.Factory.Create(peer.Config, new FakeContext(store)), store);
        if (gate is not null) driver.Gate = gate;
        return driver.StartAsync();
    }

    static List<int> Numbers(SourcePeer<TConfig> peer, DurableStore store)
        => [.. store.Records.Select(peer.NumberOf).Concat(store.Readings.Select(peer.NumberOf)).OfType<int>()];
}
