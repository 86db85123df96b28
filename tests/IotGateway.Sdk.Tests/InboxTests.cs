namespace IotGateway.Sdk.Tests;

public sealed class InboxTests
{
    static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task Takes_everything_waiting_in_order()
    {
        var inbox = new Inbox<int>(10);
        for (var i = 0; i < 5; i++) Assert.True(inbox.TryPut(i));
        Assert.Equal(5, inbox.Count);
        Assert.Equal([0, 1, 2, 3, 4], await inbox.TakeAsync(100, Ct));
        Assert.Equal(0, inbox.Count);
    }

    [Fact]
    public async Task Takes_no_more_than_asked()
    {
        var inbox = new Inbox<int>(10);
        for (var i = 0; i < 5; i++) inbox.TryPut(i);
        Assert.Equal([0, 1], await inbox.TakeAsync(2, Ct));
        Assert.Equal([2, 3, 4], await inbox.TakeAsync(100, Ct));
    }

    [Fact]
    public async Task Counts_what_a_full_inbox_refuses()
    {
        var inbox = new Inbox<int>(2);
        Assert.True(inbox.TryPut(1) && inbox.TryPut(2));
        Assert.False(inbox.TryPut(3));
        Assert.Equal(1, inbox.Dropped);
        Assert.Equal([1, 2], await inbox.TakeAsync(10, Ct));
        Assert.True(inbox.TryPut(4));
    }

    [Fact]
    public async Task Holds_a_putter_until_there_is_room()
    {
        var inbox = new Inbox<int>(1);
        await inbox.PutAsync(1, Ct);
        var waiting = inbox.PutAsync(2, Ct).AsTask();
        Assert.False(waiting.IsCompleted);
        Assert.Equal(1, (await inbox.TakeAsync(1, Ct))[0]);
        await waiting.WaitAsync(TimeSpan.FromSeconds(10), Ct);
        Assert.Equal([2], await inbox.TakeAsync(10, Ct));
        Assert.Equal(0, inbox.Dropped);
    }

    [Fact]
    public async Task Waits_for_the_first_item()
    {
        var inbox = new Inbox<int>(4);
        var taking = inbox.TakeAsync(10, Ct).AsTask();
        Assert.False(taking.IsCompleted);
        inbox.TryPut(7);
        Assert.Equal([7], await taking.WaitAsync(TimeSpan.FromSeconds(10), Ct));
    }

    [Fact]
    public async Task Gives_what_waits_before_it_says_completed()
    {
        var inbox = new Inbox<int>(4);
        inbox.TryPut(1);
        inbox.Complete();
        Assert.False(inbox.TryPut(2));
        Assert.Equal([1], await inbox.TakeAsync(10, Ct));
        Assert.Empty(await inbox.TakeAsync(10, Ct));
    }

    [Fact]
    public async Task Throws_the_error_it_was_completed_with_after_the_rest()
    {
        var inbox = new Inbox<int>(4);
        inbox.TryPut(1);
        inbox.Complete(new IOException("gone"));
        Assert.Equal([1], await inbox.TakeAsync(10, Ct));
        Assert.Equal("gone", (await Assert.ThrowsAsync<IOException>(async () => await inbox.TakeAsync(10, Ct))).Message);
    }

    [Fact]
    public async Task Stops_waiting_when_cancelled()
    {
        using var stop = new CancellationTokenSource();
        var inbox = new Inbox<int>(1);
        var taking = inbox.TakeAsync(1, stop.Token).AsTask();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => taking);
    }
}
