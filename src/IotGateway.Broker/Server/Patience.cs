namespace IotGateway.Broker.Server;

/// <summary>
/// How long one client may take. A frame has <see cref="BrokerOptions.FrameTimeout"/> between any two parts of it, and as a whole that
/// much and a second for each <see cref="LeastRate"/> bytes; while other clients wait for the memory it holds, only the former. An
/// answer the client does not read has <see cref="BrokerOptions.IdleTimeout"/>, or the frame's time while unread answers fill the
/// memory. A connection on which nothing is asked has the idle time, and the frame's until its first request. One writer for reading,
/// one for sending, and the heartbeat reads: all fields are single words.
/// </summary>
internal sealed class Patience(BrokerOptions options, TimeProvider time)
{
    const int LeastRate = 16 * 1024; // bytes a second: a mobile link
    long _active = time.GetTimestamp();
    long _frameStart;
    int _frameLength; // 0: between frames
    long _sendStart; // 0: nothing is being sent
    volatile bool _asked;

    /// <summary>Whether a whole frame has come.</summary>
    public bool Asked => _asked;

    public void FrameStarts(int length)
    {
        Volatile.Write(ref _frameStart, time.GetTimestamp());
        Received();
        Volatile.Write(ref _frameLength, length);
    }

    public void Received() => Volatile.Write(ref _active, time.GetTimestamp());

    public void FrameEnds()
    {
        Volatile.Write(ref _frameLength, 0);
        _asked = true;
    }

    /// <summary>An answer, or the next part of one, is handed to the transport.</summary>
    public void SendStarts() => Volatile.Write(ref _sendStart, time.GetTimestamp());

    public void Sent()
    {
        Volatile.Write(ref _sendStart, 0);
        Received();
    }

    /// <summary>Why the connection has to end now, or null.</summary>
    /// <param name="waiting">Whether the client waits for an answer.</param>
    /// <param name="contended">Whether others wait for memory to read their requests into.</param>
    /// <param name="full">Whether unread answers fill the memory for them.</param>
    public string? Ends(bool waiting, bool contended, bool full)
    {
        var silent = time.GetElapsedTime(Volatile.Read(ref _active));
        if (Volatile.Read(ref _frameLength) is var length and > 0)
        {
            if (silent > options.FrameTimeout) return "The client stopped in the middle of a request.";
            var most = contended ? options.FrameTimeout : options.FrameTimeout + TimeSpan.FromSeconds((double)length / LeastRate);
            if (time.GetElapsedTime(Volatile.Read(ref _frameStart)) > most) return "The client sends a request too slowly.";
        }
        if (Volatile.Read(ref _sendStart) is var start and not 0 && time.GetElapsedTime(start) > (full ? options.FrameTimeout : options.IdleTimeout))
            return "The client does not read its answer.";
        if (waiting) return null;
        if (silent > options.IdleTimeout) return "Idle for too long.";
        return !_asked && silent > options.FrameTimeout ? "It asked for nothing." : null;
    }
}
