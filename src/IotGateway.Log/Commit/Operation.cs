namespace IotGateway.Log.Commit;

/// <summary>A change to topics, epochs or log starts: encoded by a function that may throw to refuse it, answered when it is in force.</summary>
sealed class Operation<T>(int size, Func<Committer, Cycle, T> encode) : Work
{
    readonly TaskCompletionSource<T> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    T _result = default!;
    Exception? _refusal;

    public override int Size => size;

    public Task<T> Answer => _answer.Task;

    public override void Encode(Committer committer, Cycle cycle)
    {
        var before = cycle.Frame.Length;
        try
        {
            _result = encode(committer, cycle);
            cycle.MustSync |= cycle.Frame.Length > before;
        }
        catch (InvalidOperationException e)
        {
            cycle.Frame.MoveTo(before);
            _refusal = e;
        }
    }

    protected override void Answered()
    {
        if (_refusal is null) _answer.SetResult(_result);
        else _answer.SetException(_refusal);
    }

    protected override void Failed(Exception cause) => _answer.SetException(cause);
}
