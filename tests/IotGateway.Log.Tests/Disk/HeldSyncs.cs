using IotGateway.Log.Disk;

namespace IotGateway.Log.Tests.Disk;

/// <summary>Another disk, but syncs of the write-ahead log do not end while they are held up: frames are written and not durable. Thread-safe.</summary>
sealed class HeldSyncs(IDisk disk) : OtherDisk(disk)
{
    readonly TaskCompletionSource _waiting = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>A sync has been held up.</summary>
    public Task Waiting => _waiting.Task;

    public void Hold() => Free.Reset();

    public void Release() => Free.Set();

    public override IDiskFile Open(string path, bool create)
        => path.EndsWith(".wal", StringComparison.Ordinal) ? new HeldFile(this, OpenThere(path, create)) : OpenThere(path, create);

    sealed class HeldFile(HeldSyncs owner, IDiskFile file) : OtherFile(file)
    {
        public override void Sync()
        {
            if (!owner.Free.IsSet) owner._waiting.TrySetResult();
            owner.Free.Wait();
            base.Sync();
        }
    }
}
