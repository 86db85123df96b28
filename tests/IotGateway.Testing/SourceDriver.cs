using IotGateway.Sdk;
using IotGateway.Sdk.Data;

namespace IotGateway.Testing;

/// <summary>
/// Runs one source instance as the runtime would: opens, pulls, appends to a <see cref="DurableStore"/>, then runs OnDurable in
/// order. <see cref="Gate"/> holds the disk back; <see cref="KillAsync"/> is kill -9: what was not appended is gone.
/// </summary>
public sealed class SourceDriver(ISource source, DurableStore store) : IAsyncDisposable
{
    readonly CancellationTokenSource _stop = new();
    readonly SemaphoreSlim _changed = new(0);
    Task _pump = Task.CompletedTask;
    bool _killed, _closed;

    /// <summary>The instance.</summary>
    public ISource Source => source;

    /// <summary>Awaited before each append; completed by default. Replace it to hold the disk back.</summary>
    public Func<SourceBatch, Task> Gate { get; set; } = _ => Task.CompletedTask;

    /// <summary>Ends when the source ends or faults.</summary>
    public Task Reading => _pump;

    /// <summary>Opens and begins to read.</summary>
    public async Task<SourceDriver> StartAsync(OpenMode mode = OpenMode.Run, int timeoutSeconds = 15)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(timeoutSeconds));
        await source.OpenAsync(mode, timeout.Token).ConfigureAwait(false);
        _pump = Task.Run(PumpAsync);
        return this;
    }

    async Task PumpAsync()
    {
        try
        {
            await foreach (var batch in source.ReadAsync(_stop.Token).WithCancellation(_stop.Token).ConfigureAwait(false))
            {
                await Gate(batch).WaitAsync(_stop.Token).ConfigureAwait(false);
                if (_killed) return;
                store.Append(batch);
                if (batch.OnDurable is { } confirm && !_stop.IsCancellationRequested) await confirm(_stop.Token).ConfigureAwait(false);
                _changed.Release();
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested) { _killed = true; }
        finally { _changed.Release(); }
    }

    /// <summary>Waits until the store satisfies <paramref name="condition"/>; fails with the source's error or after the timeout.</summary>
    public async Task UntilAsync(Func<DurableStore, bool> condition, int timeoutSeconds = 20, string? what = null)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(timeoutSeconds));
        while (!condition(store))
        {
            if (_pump.IsFaulted) await _pump.ConfigureAwait(false);
            try { await _changed.WaitAsync(TimeSpan.FromMilliseconds(200), timeout.Token).ConfigureAwait(false); }
            catch (OperationCanceledException)
            {
                throw new TimeoutException($"Not within {timeoutSeconds} s: {what ?? "the condition"}; {store.Records.Count} records, {store.Readings.Count} readings appended.");
            }
        }
    }

    /// <summary>Stops reading, then closes with <paramref name="why"/> and disposes.</summary>
    public async Task CloseAsync(CloseReason why = CloseReason.Stop)
    {
        if (_closed) return;
        _closed = true;
        await _stop.CancelAsync().ConfigureAwait(false);
        try { await _pump.WaitAsync(TimeSpan.FromSeconds(10)).ConfigureAwait(false); }
        catch (Exception e) when (e is not TimeoutException) { Fault = e; }
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        await source.CloseAsync(why, timeout.Token).ConfigureAwait(false);
        await source.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>The error the source ended with, known after closing.</summary>
    public Exception? Fault { get; private set; }

    /// <summary>As if the process died now: nothing more is appended or confirmed, nothing is said to the peer.</summary>
    public async Task KillAsync()
    {
        if (_closed) return;
        _closed = _killed = true;
        await _stop.CancelAsync().ConfigureAwait(false);
        await source.DisposeAsync().ConfigureAwait(false);
        try { await _pump.WaitAsync(TimeSpan.FromSeconds(10)).ConfigureAwait(false); }
        catch (Exception e) when (e is not TimeoutException) { Fault = e; }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await CloseAsync().ConfigureAwait(false);
        _stop.Dispose();
        _changed.Dispose();
    }
}
