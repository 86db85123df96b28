using System.Threading.Channels;
using IotGateway.Sdk;

namespace IotGateway.Connect.Tasks;

/// <summary>
/// Moves one source instance's batches into the log: pull, append, confirm. A few batches are on their way to disk at once; their
/// OnDurable run in order, one at a time. One use per instance.
/// </summary>
sealed class SourcePump(ISource source, SourceAppender appender, WorkerOptions options, TimeProvider time, Action<AbandonedException> abandoned)
{
    readonly Channel<(Task Durable, Func<CancellationToken, ValueTask>? OnDurable)> _unconfirmed
        = Channel.CreateBounded<(Task, Func<CancellationToken, ValueTask>?)>(Math.Max(1, options.MaxInFlight));
    readonly CancellationTokenSource _reading = new(), _closing = new();

    /// <summary>
    /// Runs until <paramref name="stop"/>, then lets what is on its way become durable and be confirmed, and ends the reading.
    /// When it returns or throws, no OnDurable runs and none will, unless the connector did not let go in time.
    /// </summary>
    /// <exception cref="Exception">The source's own, or the log's. None after a stop.</exception>
    public async Task RunAsync(CancellationToken stop)
    {
        var pull = Task.Run(PullAsync, CancellationToken.None);
        var confirm = Task.Run(ConfirmAsync, CancellationToken.None);
        await Task.WhenAny(pull, confirm, Task.Delay(Timeout.InfiniteTimeSpan, time, stop)).ConfigureAwait(false);
        var failed = stop.IsCancellationRequested ? null : pull.IsCompleted ? pull : confirm;

        _unconfirmed.Writer.TryComplete();
        if (failed is null) // asked to stop: everything read is worth confirming
            await confirm.WaitAsync(options.DrainTimeout, time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _closing.CancelAsync().ConfigureAwait(false);
        await _reading.CancelAsync().ConfigureAwait(false);
        try
        {
            await Bounded.EndsAsync("Reading", Task.WhenAll(pull, confirm), options.CloseTimeout, time).ConfigureAwait(false);
        }
        catch (AbandonedException e)
        {
            abandoned(e);
        }
        if (failed is not null) await failed.ConfigureAwait(false);
    }

    async Task PullAsync()
    {
        var previous = Task.CompletedTask;
        await foreach (var batch in source.ReadAsync(_reading.Token).WithCancellation(_reading.Token).ConfigureAwait(false))
        {
            previous = await appender.AppendAsync(batch, previous, _closing.Token).ConfigureAwait(false);
            await _unconfirmed.Writer.WriteAsync((previous, batch.OnDurable), _closing.Token).ConfigureAwait(false);
        }
        _reading.Token.ThrowIfCancellationRequested();
        throw new InvalidOperationException("The source ended though nobody asked it to.");
    }

    async Task ConfirmAsync()
    {
        await foreach (var (durable, onDurable) in _unconfirmed.Reader.ReadAllAsync(CancellationToken.None).ConfigureAwait(false))
        {
            await durable.WaitAsync(_closing.Token).ConfigureAwait(false);
            _closing.Token.ThrowIfCancellationRequested();
            if (onDurable is not null) await onDurable(_closing.Token).ConfigureAwait(false);
        }
    }
}
