using IotGateway.Broker.Server;

namespace IotGateway.Broker.Tests.Server;

public sealed class MemoryBudgetTests
{
    [Fact]
    public async Task Serves_in_order_of_arrival()
    {
        var budget = new MemoryBudget(100);
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
        var budget = new MemoryBudget(100);
        await budget.ClaimAsync(50, CancellationToken.None);
        using var gone = new CancellationTokenSource();
        var large = budget.ClaimAsync(90, gone.Token).AsTask();
        var small = budget.ClaimAsync(50, CancellationToken.None).AsTask();
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => large);
        await small;
        Assert.Equal(100, budget.Claimed);
    }
}
