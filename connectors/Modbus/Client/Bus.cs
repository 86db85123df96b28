using System.Net.Sockets;

namespace IotGateway.Connectors.Modbus.Client;

/// <summary>
/// The way to one endpoint, shared by everyone who talks to it: at most one connection, opened when needed, a limited number of
/// requests on their way, handed out by <see cref="Priority"/>. A dead endpoint is a state, not a fault: it is tried again
/// with a growing, capped pause, by whoever asks next.
/// </summary>
/// <remarks>Thread-safe. A slot is held for one exchange or one command with its checks.</remarks>
internal sealed class Bus : IAsyncDisposable
{
    static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(250);

    readonly BusSettings _settings;
    readonly TimeProvider _time;
    readonly Exchange[] _slots;
    readonly BusQueue<Exchange> _queue;
    readonly SemaphoreSlim _connecting = new(1);
    Connection? _connection;
    TimeSpan _pause = FirstPause;
    long _nextAttempt;
    string _why = "not tried yet";
    int _nextAddress;
    ushort _lastTransaction;
    bool _ended;

    /// <summary>Makes one; nothing is connected yet.</summary>
    public Bus(BusSettings settings, TimeProvider time)
    {
        (_settings, _time) = (settings, time);
        _slots = [.. Enumerable.Range(0, settings.MaxInFlight).Select(i => new Exchange(i, time))];
        _queue = new(_slots);
        _nextAttempt = time.GetTimestamp();
    }

    /// <summary>Most requests on their way at once.</summary>
    public int MaxInFlight => _settings.MaxInFlight;

    /// <summary>host:port, for messages.</summary>
    public string Name => string.Join(", ", _settings.Addresses);

    /// <summary>Whether there is a connection.</summary>
    public bool IsConnected => Volatile.Read(ref _connection) is { IsOpen: true };

    /// <summary>How long until a connection is tried again; zero when one may be tried now.</summary>
    public TimeSpan UntilNextAttempt
    {
        get
        {
            var left = Volatile.Read(ref _nextAttempt) - _time.GetTimestamp();
            return left <= 0 ? TimeSpan.Zero : _time.GetElapsedTime(0, left);
        }
    }

    /// <summary>Takes a slot by priority. Give it back with <see cref="Return"/>, once, also after a failure.</summary>
    public async ValueTask<Exchange> TakeAsync(Priority priority, CancellationToken ct)
    {
        var slot = await _queue.TakeAsync(priority, ct).ConfigureAwait(false);
        slot.Inline = priority == Priority.Poll;
        return slot;
    }

    /// <summary>Gives a slot back.</summary>
    public void Return(Exchange slot) => _queue.Return(slot);

    /// <summary>The open connection, or a new one.</summary>
    /// <param name="patient">True: fail at once while the pause after a failed attempt lasts. False: try now.</param>
    /// <param name="ct">Cancels the attempt.</param>
    /// <exception cref="BusException">No connection; no byte was sent.</exception>
    public ValueTask<Connection> ConnectAsync(bool patient, CancellationToken ct)
        => Volatile.Read(ref _connection) is { IsOpen: true } open ? new(open) : OpenAsync(patient, ct);

    async ValueTask<Connection> OpenAsync(bool patient, CancellationToken ct)
    {
        await _connecting.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            if (_ended) throw new BusException($"{Name}: the connector is closing");
            if (_connection is { IsOpen: true } open) return open;
            if (patient && UntilNextAttempt > TimeSpan.Zero) throw new BusException(_why);
            if (_connection is not null)
            {
                await _connection.DisposeAsync().ConfigureAwait(false);
                _lastTransaction = _connection.LastTransaction;
            }
            Volatile.Write(ref _connection, null);
            var fresh = new Connection(await DialAsync(ct).ConfigureAwait(false), _settings.MaxInFlight, _lastTransaction);
            Volatile.Write(ref _connection, fresh);
            _pause = FirstPause;
            return fresh;
        }
        finally
        {
            _connecting.Release();
        }
    }

    async ValueTask<Socket> DialAsync(CancellationToken ct)
    {
        Exception? last = null;
        for (var i = 0; i < _settings.Addresses.Count; i++)
        {
            var address = _settings.Addresses[_nextAddress];
            using var deadline = new CancellationTokenSource(_settings.ConnectTimeout, _time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, deadline.Token);
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(address.Host, address.Port, either.Token).ConfigureAwait(false);
                socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
                return socket;
            }
            catch (Exception e)
            {
                socket.Dispose();
                if (e is not (SocketException or OperationCanceledException) || ct.IsCancellationRequested) throw;
                (_why, last) = ($"{address} can not be reached: {(e is SocketException s ? Words(s) : "no connection in time")}", e);
                _nextAddress = (_nextAddress + 1) % _settings.Addresses.Count;
            }
        }
        Volatile.Write(ref _nextAttempt, _time.GetTimestamp() + (long)(_pause.TotalSeconds * _time.TimestampFrequency));
        _pause = TimeSpan.FromTicks(Math.Min(_pause.Ticks * 2, _settings.Reconnect.Ticks));
        throw new BusException(_why, last);
    }

    static string Words(SocketException e) => e.SocketErrorCode switch
    {
        SocketError.ConnectionRefused => "nothing listens there (connection refused)",
        SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain => "the name is not known",
        SocketError.HostUnreachable or SocketError.NetworkUnreachable => "there is no route to it",
        _ => e.Message,
    };

    /// <summary>Ends the connection; requests on their way are lost.</summary>
    public async ValueTask DisposeAsync()
    {
        await _connecting.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        _ended = true;
        if (_connection is not null) await _connection.DisposeAsync().ConfigureAwait(false);
        foreach (var slot in _slots) slot.Dispose();
        // Handed on and left to the collector: whoever waits to connect must wake up, to be told that it is over.
        _connecting.Release();
    }
}
