namespace IotGateway.Connect.Tasks;

/// <summary>Calls into connectors that may hang, also before their first await.</summary>
static class Bounded
{
    /// <summary>
    /// Runs <paramref name="call"/> on the pool. After <paramref name="limit"/> or when <paramref name="ct"/> is cancelled its token is cancelled and
    /// it has <paramref name="grace"/> to return; then it is abandoned: its late result is ignored.
    /// </summary>
    /// <exception cref="TimeoutException">The limit passed.</exception>
    /// <exception cref="OperationCanceledException">Cancelled by <paramref name="ct"/>.</exception>
    /// <exception cref="AbandonedException">It did not return in time.</exception>
    public static async Task<T> RunAsync<T>(string what, Func<CancellationToken, ValueTask<T>> call, TimeSpan limit, TimeSpan grace, TimeProvider time, CancellationToken ct)
    {
        using var timeout = new CancellationTokenSource(limit, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, ct);
        var token = both.Token;
        var work = Task.Run(async () => await call(token).ConfigureAwait(false), CancellationToken.None);
        await ((Task)work.WaitAsync(token)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!work.IsCompleted) await EndsAsync(what, work, grace, time).ConfigureAwait(false);
        try
        {
            return await work.ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested && !ct.IsCancellationRequested)
        {
            throw new TimeoutException($"{what} took longer than {limit.TotalSeconds:0.###} s.");
        }
    }

    /// <inheritdoc cref="RunAsync{T}"/>
    public static Task RunAsync(string what, Func<CancellationToken, ValueTask> call, TimeSpan limit, TimeSpan grace, TimeProvider time, CancellationToken ct)
        => RunAsync(what, async token =>
        {
            await call(token).ConfigureAwait(false);
            return true;
        }, limit, grace, time, ct);

    /// <summary>Waits for work that was told to end, whatever its result.</summary>
    /// <exception cref="AbandonedException">It did not end in time.</exception>
    public static async Task EndsAsync(string what, Task work, TimeSpan grace, TimeProvider time)
    {
        await work.WaitAsync(grace, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (work.IsCompleted) return;
        // Nobody will look at it any more: its exception is nobody's.
        _ = work.ContinueWith(static t => _ = t.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        throw new AbandonedException($"{what} did not end within {grace.TotalSeconds:0.###} s of being told to and was abandoned.");
    }
}

/// <summary>A call into a connector did not return in time; what it holds may leak.</summary>
sealed class AbandonedException(string message) : TimeoutException(message);
