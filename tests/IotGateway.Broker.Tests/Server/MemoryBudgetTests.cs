using IotGateway.Broker.Server;

namespace IotGateway.Broker.Tests.Server;

public sealed class MemoryBudgetTests
{
    [Fact]
    public async Task Serves_in_order_of_arrival()
    {
        var budget = new MemoryBudget(0, 100);
        await budget.ClaimAsync(80, CancellationToken.None);
        var large = budget.ClaimAsync(90, CancellationToken.None).AsTask();
        var small = budget.ClaimAsync(10, CancellationToken.None).AsTask();
        Assert.False(small.IsCompleted); // though there is room for it
        budget.Release(80);
        await large;
        await small;
        Assert.Equal(100, budget.Claimed);
    }

    [Fact]
    public async Task A_cancelled_claim_lets_the_next_one_in()
    {
        var budget = new MemoryBudget(0, 100);
        await budget.ClaimAsync(50, CancellationToken.None);
        using var gone = new CancellationTokenSource();
        var large = budget.ClaimAsync(90, gone.Token).AsTask();
        var small = budget.ClaimAsync(50, CancellationToken.None).AsTask();
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => large);
        await small;
        Assert.Equal(100, budget.Claimed);
    }

    [Fact]
    public async Task Huge_frames_do_not_keep_small_ones_out()
    {
        const int huge = 100 << 20;
        var budget = new MemoryBudget(256 << 20, huge);
        await budget.ClaimAsync(huge, CancellationToken.None);
        var second = budget.ClaimAsync(huge, CancellationToken.None).AsTask();
        Assert.False(second.IsCompleted);
        Assert.True(budget.Contended);
        for (var i = 0; i < 64; i++) await budget.ClaimAsync(1 << 20, CancellationToken.None);
        var small = budget.ClaimAsync(1, CancellationToken.None).AsTask();
        Assert.False(small.IsCompleted); // their share is as bounded
        budget.Release(huge);
        await second;
        Assert.False(small.IsCompleted);
        budget.Release(1 << 20);
        await small;
        Assert.False(budget.Contended);
    }
}
