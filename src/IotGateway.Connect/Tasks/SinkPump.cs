using IotGateway.Connect.Configs;
using IotGateway.Connect.EventLog;
using IotGateway.Sdk;
using IotGateway.Connect.Records;
using IotGateway.Sdk.Data;

namespace IotGateway.Connect.Tasks;

/// <summary>
/// Moves records from the log into one sink instance: read, write, store the position of what is settled. What is not settled comes
/// again, first. Whatever fails ends the pump; the stored position is then where the net instance starts. One use per instance.
/// </summary>
sealed class SinkPump(ISink sink, IEventReader reader, Shared shared, TagOwner owner, CommonOptions options, TaskTags tags, TaskFigures figures, Action<AbandonedException> abandoned)
{
    readonly List<SinkRecord> _waiting = [];
    readonly EventUnit _unit = new();
    long _bytes;

    /// <summary>Runs until <paramref name="stop"/>.</summary>
    /// <exception cref="Exception">The sink's own, or the log's. None after a stop.</exception>
    public async Task RunAsync(CancellationToken stop)
    {
        var work = Task.Run(() => WorkAsync(stop), CancellationToken.None);
        await work.WaitAsync(stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        try
        {
            if (stop.IsCancellationRequested) await Bounded.EndsAsync("Writing", work, shared.Options.CloseTimeout, shared.Time).ConfigureAwait(false);
            await work.ConfigureAwait(false);
        }
        catch (AbandonedException e)
        {
            abandoned(e);
        }
        catch (Exception) when (stop.IsCancellationRequested)
        {
            // Stopped in the middle of a batch: nothing of it is settled, all of it comes again.
        }
    }

    async Task WorkAsync(CancellationToken stop)
    {
        for (;;)
        {
            await CollectAsync(stop).ConfigureAwait(false);
            var batch = _waiting.ToArray();
            var started = shared.Time.GetTimestamp();
            var result = await sink.WriteAsync(batch, stop).ConfigureAwait(false);
            shared.Metrics.Wrote(tags, shared.Time.GetElapsedTime(started));
            Check(result, batch.Length);
            await SettleAsync(batch, result).ConfigureAwait(false);
            if (result.Settled == 0) throw new IOException("The sink delivered nothing of a batch.");
        }
    }

    async Task CollectAsync(CancellationToken stop)
    {
        var limit = options.Batch;
        while (_waiting.Count == 0) await MoreAsync(limit.MaxRecords, limit.MaxBytes.Bytes, stop).ConfigureAwait(false);
        if (limit.Linger <= TimeSpan.Zero) return;
        using var linger = new CancellationTokenSource(limit.Linger, shared.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(linger.Token, stop);
        try
        {
            while (_waiting.Count < limit.MaxRecords && _bytes < limit.MaxBytes.Bytes)
                await MoreAsync(limit.MaxRecords - _waiting.Count, limit.MaxBytes.Bytes - _bytes, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            // The linger has passed.
        }
    }

    async Task MoreAsync(int records, long bytes, CancellationToken ct)
    {
        try
        {
            foreach (var record in await reader.ReadAsync(records, (int)Math.Clamp(bytes, 1, 64 << 20), ct).ConfigureAwait(false))
            {
                _waiting.Add(record);
                _bytes += SizeOf(record);
            }
        }
        catch (UnreadableException e)
        {
            await PassAsync(e).ConfigureAwait(false);
        }
    }

    // Nothing will ever open them, so the records behind must not wait for it. Told again by a start that comes before one of those is settled.
    async Task PassAsync(UnreadableException unreadable)
    {
        _unit.Clear();
        _unit.Reserved = true;
        DeadLetter.Add(_unit, owner.Connector, new() { Topic = unreadable.Topic, Partition = unreadable.Partition, Offset = unreadable.Offset, Timestamp = -1 }, unreadable.Message, shared.Time.GetUtcNow());
        await shared.Log.CommitAsync(_unit, CancellationToken.None).ConfigureAwait(false);
        figures.Dead(1);
        shared.Metrics.Rejected(tags, 1, "unreadable");
    }

    static void Check(WriteResult result, int count)
    {
        if (result.Settled < 0 || result.Settled > count || result.Rejected.Any(r => r.Index < 0 || r.Index >= result.Settled))
            throw new PermanentException($"The sink answered Settled = {result.Settled} for {count} records, or rejected one outside of them: a fault in the plugin; report it to its author.");
    }

    // Not cancelled by a stop: what was delivered must not be delivered again.
    async Task SettleAsync(SinkRecord[] batch, WriteResult result)
    {
        _unit.Clear();
        _unit.Reserved = true;
        foreach (var rejection in result.Rejected)
            DeadLetter.Add(_unit, owner.Connector, batch[rejection.Index], rejection.Reason, shared.Time.GetUtcNow());
        var lasts = new Dictionary<(string, int), SinkRecord>();
        long bytes = 0;
        foreach (var record in batch.AsSpan(0, result.Settled))
        {
            lasts[(record.Topic, record.Partition)] = record;
            bytes += SizeOf(record);
        }
        foreach (var last in lasts.Values) reader.Settle(_unit, last);
        if (!_unit.IsEmpty) await shared.Log.CommitAsync(_unit, CancellationToken.None).ConfigureAwait(false);
        _waiting.RemoveRange(0, result.Settled);
        _bytes -= bytes;
        if (_waiting.Count == 0) reader.Release();
        figures.Out(result.Settled - result.Rejected.Count, bytes, shared.Time.GetUtcNow());
        figures.Lag = reader.Lag + _waiting.Count;
        shared.Metrics.Out(tags, result.Settled - result.Rejected.Count, bytes);
        figures.Dead(result.Rejected.Count);
        shared.Metrics.Rejected(tags, result.Rejected.Count, "sink");
    }

    static long SizeOf(SinkRecord record) => 16 + (record.Key?.Length ?? 0) + (record.Value?.Length ?? 0);
}
