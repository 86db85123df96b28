using System.Runtime.CompilerServices;
using IotGateway.Connectors.Files.Config;
using IotGateway.Sdk;
using IotGateway.Sdk.Data;

namespace IotGateway.Connectors.Files.Tail;

/// <summary>
/// Follows growing files: every complete line is given to the log exactly once, in the same atomic step as the file's new position. Looks
/// at files in turn and waits when none has grown; nothing runs while the runtime does not pull.
/// </summary>
sealed class TailSource(FilesConfig config, ConnectorContext context) : ISource
{
    readonly LineBatchPool _pool = new(config, context.Time);
    FileSet? _set;

    public ValueTask OpenAsync(OpenMode mode, CancellationToken ct)
    {
        if (mode == OpenMode.Probe) ProbeFolder();
        _set = new FileSet(config, context);
        return default;
    }

    public async IAsyncEnumerable<SourceBatch> ReadAsync([EnumeratorCancellation] CancellationToken ct)
    {
        var set = _set ?? throw new InvalidOperationException("Not open.");
        var next = 0;
        long? scanned = null;
        while (true)
        {
            ct.ThrowIfCancellationRequested();
            var batch = _pool.Rent();
            if (scanned is null || context.Time.GetElapsedTime(scanned.Value) >= config.Scan)
            {
                set.Scan(batch);
                scanned = context.Time.GetTimestamp();
            }
            Fill(set, batch, ref next);
            if (batch.IsEmpty)
            {
                _pool.Return(batch);
                await Task.Delay(config.Every, context.Time, ct).ConfigureAwait(false);
            }
            else yield return batch.Build();
        }
    }

    public ValueTask CloseAsync(CloseReason why, CancellationToken ct) => default;

    public ValueTask DisposeAsync()
    {
        _set?.Dispose();
        return default;
    }

    /// <summary>Goes round the files until the batch is full or nothing is new. The next batch begins with the file after the last one.</summary>
    static void Fill(FileSet set, LineBatch batch, ref int next)
    {
        for (var still = 0; still < set.Files.Count;)
        {
            next = next >= set.Files.Count ? 0 : next;
            var file = set.Files[next];
            var look = FileSet.MustWait(file) ? Look.AtEnd : Read(set, file, batch);
            if (look == Look.BatchFull) return;
            still = look == Look.AtEnd ? still + 1 : 0;
            next++;
        }
        set.EndFinished(batch);
    }

    static Look Read(FileSet set, TailedFile file, LineBatch batch)
    {
        try
        {
            return file.Read(batch, (f, unread) => set.Truncated(f, unread, batch));
        }
        catch (IOException e)
        {
            set.Fail(file, e);
            return Look.AtEnd;
        }
    }

    void ProbeFolder()
    {
        var folder = new Glob(config.Path, config.Exclude, false).Root;
        if (!Directory.Exists(folder)) throw new IOException($"The folder {folder} does not exist, or may not be read by the gateway's user.");
    }
}
