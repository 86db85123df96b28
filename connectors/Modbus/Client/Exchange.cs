using System.Threading.Tasks.Sources;
using IotGateway.Connectors.Modbus.Protocol;

namespace IotGateway.Connectors.Modbus.Client;

/// <summary>
/// One slot of a bus: buffers, timer and awaitable of one request at a time, used again and again so that a poll allocates nothing.
/// Its holder runs <see cref="RunAsync"/>, reads <see cref="Data"/>, and gives the slot back.
/// </summary>
/// <remarks>
/// A request ends exactly once: by its reply, its timeout, its cancellation or the end of its connection, whichever
/// takes it out of <see cref="Connection"/>'s table first; that table's lock decides.
/// </remarks>
internal sealed class Exchange : IValueTaskSource<ExchangeResult>, IDisposable
{
    readonly byte[] _send = new byte[Limits.Frame];
    readonly byte[] _data = new byte[Limits.Pdu];
    readonly TimeProvider _time;
    readonly ITimer _timer;
    ManualResetValueTaskSourceCore<ExchangeResult> _source;
    Connection? _connection;
    int _length;

    /// <summary>Makes slot number <paramref name="index"/>.</summary>
    public Exchange(int index, TimeProvider time)
    {
        (Index, _time) = (index, time);
        _timer = time.CreateTimer(static state => ((Exchange)state!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Place in the connection's table.</summary>
    public int Index { get; }

    /// <summary>Whether the holder's continuation may run on the receive loop: only where it is short and never waits.</summary>
    public bool Inline { set => _source.RunContinuationsAsynchronously = !value; }

    /// <summary>Data of the last reply, as on the wire; valid until the slot is used again.</summary>
    public ReadOnlyMemory<byte> Data => _data.AsMemory(0, _length);

    /// <summary>The request on its way.</summary>
    internal Request Request { get; private set; }

    /// <summary>Its transaction id.</summary>
    internal ushort Transaction { get; private set; }

    /// <summary>When it times out, in timestamps.</summary>
    internal long Deadline { get; private set; }

    /// <summary>Sends a request and waits for its reply. Once the first byte is sent this ends by the timeout at the latest.</summary>
    /// <param name="connection">Where to.</param>
    /// <param name="request">What.</param>
    /// <param name="timeout">From the moment it is sent.</param>
    /// <param name="ct">Gives up waiting.</param>
    public async ValueTask<ExchangeResult> RunAsync(Connection connection, Request request, TimeSpan timeout, CancellationToken ct)
    {
        _source.Reset();
        _length = 0;
        _connection = connection;
        Request = request;
        Deadline = _time.GetTimestamp() + (long)(timeout.TotalSeconds * _time.TimestampFrequency);
        if (!connection.TryEnter(this, out var transaction)) return new(ExchangeStatus.Lost);
        var answer = new ValueTask<ExchangeResult>(this, _source.Version);
        _timer.Change(timeout, Timeout.InfiniteTimeSpan);
        await using var registration = ct.UnsafeRegister(static (state, token) => ((Exchange)state!).Cancel(token), this).ConfigureAwait(false);
        var length = request.WriteTo(_send, transaction);
        try
        {
            await connection.SendAsync(_send.AsMemory(0, length)).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException or ObjectDisposedException)
        {
            connection.Fail(e);
        }
        if (request.Broadcast) connection.Finish(this, new(ExchangeStatus.Broadcast));
        return await answer.ConfigureAwait(false);
    }

    /// <summary>Takes the transaction id, under the connection's lock.</summary>
    internal void Begin(ushort transaction) => Transaction = transaction;

    /// <summary>Keeps the reply's data; the caller took the slot out of the table and completes it next.</summary>
    internal void Keep(ReadOnlySpan<byte> data)
    {
        data.CopyTo(_data);
        _length = data.Length;
    }

    /// <summary>Ends it; called exactly once per request, by whoever took the slot out of the table.</summary>
    internal void Complete(ExchangeResult result)
    {
        _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _source.SetResult(result);
    }

    void OnTimer()
    {
        // A timer of an earlier request may still fire, or fire a little early; the deadline says whether it is meant.
        var left = _connection?.TimeOut(this, _time.GetTimestamp()) ?? 0;
        if (left > 0) _timer.Change(_time.GetElapsedTime(0, left) + TimeSpan.FromMilliseconds(1), Timeout.InfiniteTimeSpan);
    }

    void Cancel(CancellationToken ct)
    {
        if (_connection?.TryLeave(this) != true) return;
        _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _source.SetException(new OperationCanceledException(ct));
    }

    /// <inheritdoc/>
    public ExchangeResult GetResult(short token) => _source.GetResult(token);

    /// <inheritdoc/>
    public ValueTaskSourceStatus GetStatus(short token) => _source.GetStatus(token);

    /// <inheritdoc/>
    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
        => _source.OnCompleted(continuation, state, token, flags);

    /// <summary>Ends the timer.</summary>
    public void Dispose() => _timer.Dispose();
}
