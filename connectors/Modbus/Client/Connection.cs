using System.Net.Sockets;
using IotGateway.Connectors.Modbus.Protocol;

namespace IotGateway.Connectors.Modbus.Client;

/// <summary>
/// One TCP connection. A reply is given to the request with its transaction id and to no other, and only if unit, function and
/// length fit as well; a late reply finds no request and is dropped, so the connection goes on safely after a timeout. What
/// is no Modbus, or answers a request with something else, ends the connection: its stream can not be trusted.
/// </summary>
/// <remarks>Thread-safe. The table of requests on their way has one lock; nothing is completed while it is held. Never reopened: the bus makes a new one.</remarks>
internal sealed class Connection : IAsyncDisposable
{
    const int TimeoutsToGiveUp = 3;

    readonly Lock _gate = new();
    readonly Exchange?[] _underWay;
    readonly Socket _socket;
    readonly SemaphoreSlim _sending = new(1);
    readonly Task _receiving;
    ushort _lastTransaction;
    int _timeoutsInARow;
    bool _closed;

    /// <summary>
    /// Starts receiving on a connected socket, which it then owns. Transaction ids go on after <paramref name="lastTransaction"/>: a
    /// gateway that keeps late answers of an earlier connection and sends them here must not hit a request of the same number.
    /// </summary>
    public Connection(Socket socket, int maxInFlight, ushort lastTransaction)
    {
        (_socket, _lastTransaction) = (socket, lastTransaction);
        _underWay = new Exchange?[maxInFlight];
        _receiving = Task.Run(ReceiveAsync);
    }

    /// <summary>Whether requests can still be sent.</summary>
    public bool IsOpen => !Volatile.Read(ref _closed);

    /// <summary>Replies that came too late, or to nobody's request.</summary>
    public long Late { get; private set; }

    /// <summary>The transaction id given last.</summary>
    public ushort LastTransaction
    {
        get
        {
            lock (_gate) return _lastTransaction;
        }
    }

    /// <summary>Enters a request into the table; false when the connection has ended.</summary>
    public bool TryEnter(Exchange exchange, out ushort transaction)
    {
        lock (_gate)
        {
            transaction = ++_lastTransaction;
            if (_closed) return false;
            exchange.Begin(transaction);
            _underWay[exchange.Index] = exchange;
            return true;
        }
    }

    /// <summary>Takes a request out; false when another did.</summary>
    public bool TryLeave(Exchange exchange)
    {
        lock (_gate) return Take(exchange);
    }

    /// <summary>Ends a request, unless it has ended.</summary>
    public void Finish(Exchange exchange, ExchangeResult result)
    {
        if (TryLeave(exchange)) exchange.Complete(result);
    }

    /// <summary>Ends a request whose time is up; otherwise returns the timestamps left, or 0 when it has ended.</summary>
    public long TimeOut(Exchange exchange, long now)
    {
        bool dead;
        lock (_gate)
        {
            if (_underWay[exchange.Index] != exchange) return 0;
            if (now < exchange.Deadline) return exchange.Deadline - now;
            Take(exchange);
            dead = ++_timeoutsInARow >= TimeoutsToGiveUp;
        }
        exchange.Complete(new(ExchangeStatus.Timeout));
        // Whoever pulls a plug sends no FIN: a fresh connection shows whether anyone is there.
        if (dead) Fail(new IOException("No answer to several requests in a row."));
        return 0;
    }

    /// <summary>Sends one frame; frames never mix.</summary>
    public async ValueTask SendAsync(ReadOnlyMemory<byte> frame)
    {
        if (!_sending.Wait(0, CancellationToken.None)) await _sending.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        try
        {
            while (!frame.IsEmpty) frame = frame[await _socket.SendAsync(frame, SocketFlags.None, CancellationToken.None).ConfigureAwait(false)..];
        }
        finally
        {
            _sending.Release();
        }
    }

    /// <summary>Ends the connection; every request on its way is <see cref="ExchangeStatus.Lost"/>.</summary>
    public void Fail(Exception cause) => End(cause, null);

    void End(Exception cause, Exchange? guilty)
    {
        Exchange?[] left = [];
        lock (_gate)
        {
            if (!_closed)
            {
                Volatile.Write(ref _closed, true);
                Cause = cause;
                left = [.. _underWay];
                Array.Clear(_underWay);
            }
        }
        _socket.Dispose();
        // Also when somebody else ended the connection meanwhile: it is out of the table, so nobody else completes it.
        guilty?.Complete(new(ExchangeStatus.Mismatch));
        foreach (var exchange in left) exchange?.Complete(new(ExchangeStatus.Lost));
    }

    /// <summary>Why it ended.</summary>
    public Exception? Cause { get; private set; }

    async Task ReceiveAsync()
    {
        var buffer = new byte[Limits.Frame * 4];
        var filled = 0;
        try
        {
            while (true)
            {
                var got = await _socket.ReceiveAsync(buffer.AsMemory(filled), SocketFlags.None, CancellationToken.None).ConfigureAwait(false);
                if (got == 0) throw new IOException("The device closed the connection.");
                filled += got;
                var used = Dispatch(buffer.AsSpan(0, filled));
                buffer.AsSpan(used, filled - used).CopyTo(buffer);
                filled -= used;
            }
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
        {
            Fail(e);
        }
    }

    int Dispatch(ReadOnlySpan<byte> received)
    {
        var used = 0;
        while (true)
        {
            switch (Framing.TryRead(received[used..], out var frame, out var pdu))
            {
                case FrameResult.NeedMore: return used;
                case FrameResult.Garbage: throw new IOException("The device sent something that is not Modbus.");
            }
            used += frame.Length;
            Deliver(frame, pdu);
        }
    }

    void Deliver(FrameHeader frame, ReadOnlySpan<byte> pdu)
    {
        Exchange? exchange;
        lock (_gate)
        {
            exchange = Find(frame.Transaction);
            if (exchange is null)
            {
                Late++;
                return;
            }
            Take(exchange);
            _timeoutsInARow = 0;
        }
        switch (Reply.Judge(exchange.Request, frame.Unit, pdu, out var data, out var code))
        {
            case ReplyKind.Data:
                exchange.Keep(data);
                exchange.Complete(new(ExchangeStatus.Ok));
                break;
            case ReplyKind.Exception:
                exchange.Complete(new(ExchangeStatus.Exception, code));
                break;
            default:
                End(new IOException("The device answered a request with something else."), exchange);
                break;
        }
    }

    Exchange? Find(ushort transaction)
    {
        foreach (var exchange in _underWay)
            if (exchange?.Transaction == transaction) return exchange;
        return null;
    }

    bool Take(Exchange exchange)
    {
        if (_underWay[exchange.Index] != exchange) return false;
        _underWay[exchange.Index] = null;
        return true;
    }

    /// <summary>Ends it and waits for the receive loop.</summary>
    public async ValueTask DisposeAsync()
    {
        Fail(new IOException("Closed by the gateway."));
        await _receiving.ConfigureAwait(false);
        // The semaphore is left to the collector: disposed under those who wait for their turn to send, it would never wake them.
    }
}
