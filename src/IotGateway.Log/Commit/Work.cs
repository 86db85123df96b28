namespace IotGateway.Log.Commit;

/// <summary>
/// Something a caller waits for. The committer calls <see cref="Encode"/>; then whoever comes first settles it, by <see cref="Complete"/> or
/// <see cref="Fail"/>; later calls do nothing.
/// </summary>
abstract class Work
{
    int _settled;

    /// <summary>Most bytes it will take in a frame.</summary>
    public abstract int Size { get; }

    /// <summary>Whether the caller may have its answer when the frame is written, before it is synced.</summary>
    public virtual bool Relaxed => false;

    /// <summary>Whether it asks for space in segments, and so is refused when the disk is full.</summary>
    public virtual bool NeedsSpace => false;

    /// <summary>Writes its entries into the cycle's frame, or notes why not. On the committer's thread.</summary>
    public abstract void Encode(Committer committer, Cycle cycle);

    /// <summary>It is in force: answers the caller. On the applier's thread.</summary>
    public void Complete()
    {
        if (Interlocked.Exchange(ref _settled, 1) == 0) Answered();
    }

    /// <summary>It will not be answered: tells the caller why.</summary>
    public void Fail(Exception cause)
    {
        if (Interlocked.Exchange(ref _settled, 1) == 0) Failed(cause);
    }

    protected abstract void Answered();

    protected abstract void Failed(Exception cause);
}
