namespace IotGateway.Connectors.Mqtt.Session;

/// <summary>
/// Which acknowledgements the broker has certainly processed: those sent before a PINGREQ that it answered. Thread-safe: the sender
/// of acknowledgements, the receive loop and the batch builder meet here.
/// </summary>
sealed class Fences
{
    readonly Lock _gate = new();
    readonly Queue<(long Ping, long Batch)> _open = new();
    bool _closed;
    long _pong, _acknowledged, _written, _certain;

    /// <summary>Starts at the last batch of earlier connections.</summary>
    public Fences(long lastBatch) => (_acknowledged, _written, _certain) = (lastBatch, lastBatch, lastBatch);

    /// <summary>Last batch whose acknowledgements may have been sent.</summary>
    public long Acknowledged => Volatile.Read(ref _acknowledged);

    /// <summary>Last batch whose acknowledgements the broker has processed.</summary>
    public long Certain => Volatile.Read(ref _certain);

    /// <summary>Whether acknowledgements were written that no fence covers, and none is on its way.</summary>
    /// <param name="batch">The batch up to which a PINGREQ sent now would cover them.</param>
    public bool IsDue(out long batch)
    {
        lock (_gate)
        {
            batch = _written;
            return _open.Count == 0 && _certain < _written;
        }
    }

    /// <summary>Call before the first byte of a batch's acknowledgements leaves; false = closed, nothing may leave any more.</summary>
    public bool TryAcknowledging(long batch)
    {
        lock (_gate)
        {
            if (_closed) return false;
            Volatile.Write(ref _acknowledged, batch);
            return true;
        }
    }

    /// <summary>From now on nothing is acknowledged. Returns the last batch whose acknowledgements may have been sent.</summary>
    public long Close()
    {
        lock (_gate)
        {
            _closed = true;
            return _acknowledged;
        }
    }

    /// <summary>The acknowledgements of a batch are with the operating system: a PINGREQ sent from now on is behind them.</summary>
    public void Written(long batch)
    {
        lock (_gate) _written = batch;
    }

    /// <summary>A PINGREQ has gone out behind the acknowledgements of <paramref name="batch"/>. True when its answer has come already, and something became certain by it.</summary>
    public bool Sent(long ping, long batch)
    {
        lock (_gate)
        {
            _open.Enqueue((ping, batch));
            return Advance();
        }
    }

    /// <summary>A PINGRESP came. True when something became certain by it.</summary>
    public bool Answered(long ping)
    {
        lock (_gate)
        {
            _pong = ping;
            return Advance();
        }
    }

    bool Advance()
    {
        var before = _certain;
        while (_open.TryPeek(out var fence) && fence.Ping <= _pong)
        {
            _open.Dequeue();
            Volatile.Write(ref _certain, Math.Max(_certain, fence.Batch));
        }
        return _certain > before;
    }
}
