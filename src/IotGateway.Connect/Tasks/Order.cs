using IotGateway.Sdk;

namespace IotGateway.Connect.Tasks;

/// <summary>What a task has been told last. A newer order cancels the one in force; its reason closes the instance that runs.</summary>
/// <param name="Target">Running, Paused or Stopped.</param>
/// <param name="Reason">Why the instance that runs now is closed.</param>
/// <param name="Last">No order follows: the task ends.</param>
sealed record Order(RunState Target, CloseReason Reason, bool Last = false)
{
    readonly CancellationTokenSource _superseded = new();

    /// <summary>Cancelled when a newer order came.</summary>
    public CancellationToken Superseded => _superseded.Token;

    /// <summary>The order that came.</summary>
    public Order? Next { get; private set; }

    /// <summary>Completes when the instance that ran before is closed and this order is being followed.</summary>
    public TaskCompletionSource Taken { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void SupersedeBy(Order next)
    {
        Next = next;
        _superseded.Cancel();
    }
}
