using System.Net;
using System.Net.Sockets;

namespace Acceptance.Tests.Interruptions;

/// <summary>Stands between gateway and broker, passes bytes, and cuts the connection on demand. One connection at a time is the gateway's.</summary>
sealed class CuttingProxy : IAsyncDisposable
{
    readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    readonly CancellationTokenSource _over = new();
    readonly int _target;
    readonly Task _accepting;
    Connection? _current;

    public CuttingProxy(int target)
    {
        _target = target;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public Witness Witness { get; } = new();

    /// <summary>Whether a connection is there.</summary>
    public bool IsConnected => _current is { Ended.IsCompleted: false };

    /// <summary>Cuts: first the bytes of the given directions are swallowed for a while, then both sides are reset.</summary>
    public async Task CutAsync(bool loseAcks, bool loseMessages, int milliseconds)
    {
        if (_current is not { } connection) return;
        (connection.LosesAcks, connection.LosesMessages) = (loseAcks, loseMessages);
        await Task.Delay(milliseconds);
        connection.Reset();
        await connection.Ended;
    }

    /// <summary>Stops passing anything exactly there; done when it has come to that. <see cref="EndAsync"/> then ends what stands still.</summary>
    public async Task StopAtAsync(CutPoint point)
    {
        while (_current is not { } connection || !await connection.StopAtAsync(point)) await Task.Delay(20, _over.Token);
    }

    /// <summary>Ends a connection that stands still: reset for the gateway, while the broker reads everything that passed, and then its end.</summary>
    public async Task EndAsync()
    {
        _current!.ResetGateway();
        await _current.Ended;
    }

    async Task AcceptAsync()
    {
        while (!_over.IsCancellationRequested)
        {
            Socket near;
            try { near = await _listener.AcceptSocketAsync(_over.Token); }
            catch (OperationCanceledException) { return; }
            var far = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            near.NoDelay = true;
            try
            {
                await far.ConnectAsync(IPAddress.Loopback, _target, _over.Token);
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException)
            {
                near.Dispose(); // the broker is away
                far.Dispose();
                continue;
            }
            if (_current is { } before) await before.Ended; // its packets are the witness's before ours are
            _current = new(near, far, Witness);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        _current?.Reset();
        await _accepting;
        if (_current is not null) await _current.Ended;
        _listener.Dispose();
        _over.Dispose();
    }

    /// <summary>Two sockets and what is passed between them.</summary>
    sealed class Connection
    {
        readonly Socket _near, _far;
        readonly Witness _witness;

        public Connection(Socket near, Socket far, Witness witness)
        {
            (_near, _far, _witness) = (near, far, witness);
            Ended = RunAsync();
        }

        public bool LosesAcks, LosesMessages;

        volatile Stop? _stop;

        public Task Ended { get; }

        /// <summary>True when it stands still at the point, false when it ended without coming there.</summary>
        public async Task<bool> StopAtAsync(CutPoint point)
        {
            var stop = _stop = new(point);
            return await Task.WhenAny(stop.Reached.Task, Ended) == stop.Reached.Task;
        }

        public void Reset()
        {
            Reset(_near);
            Reset(_far);
        }

        public void ResetGateway() => Reset(_near);

        static void Reset(Socket socket)
        {
            try
            {
                socket.LingerState = new(true, 0); // RST: what is in buffers is lost too
                socket.Dispose();
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException) { } // it has ended by itself meanwhile
        }

        async Task RunAsync()
        {
            await Task.Yield();
            var (fromBroker, fromGateway) = (new PacketSplitter(), new PacketSplitter());
            var down = PumpAsync(_far, _near, bytes => Look(bytes, fromBroker, LosesMessages, (packet, passed) =>
            {
                if (passed) _witness.FromBroker(packet);
            }));
            var up = PumpAsync(_near, _far, bytes => Look(bytes, fromGateway, LosesAcks, _witness.FromGateway));
            await Task.WhenAny(down, up);
            if (_stop is { Reached.Task.IsCompleted: true } && !down.IsCompleted)
            {
                _far.Shutdown(SocketShutdown.Send); // no reset: the broker has to read what passed
                await Task.WhenAny(down, Task.Delay(5_000));
            }
            _near.Dispose();
            _far.Dispose();
            await Task.WhenAll(down, up);
            _witness.Ended();
        }

        /// <summary>How many of the bytes pass, and whether everything stands still behind them.</summary>
        (int Passing, Stop? Reached) Look(Memory<byte> bytes, PacketSplitter splitter, bool lost, Action<SeenPacket, bool> seen)
        {
            var end = -splitter.Rest; // of the last whole packet, counted from the first of these bytes
            foreach (var packet in splitter.Add(bytes))
            {
                var before = end;
                end += packet.Size;
                if (lost || _stop is not { } stop || stop.Point.Type != packet.Type || packet is { Type: 3, Qos: not 2 })
                {
                    seen(packet, !lost);
                    continue;
                }
                (LosesAcks, LosesMessages) = (true, true);
                seen(packet, stop.Point.Passes);
                return (Math.Max(0, stop.Point.Passes ? end : before), stop);
            }
            return (lost ? 0 : bytes.Length, null);
        }

        static async Task PumpAsync(Socket from, Socket to, Func<Memory<byte>, (int Passing, Stop? Reached)> look)
        {
            var buffer = new byte[65_536];
            try
            {
                while (await from.ReceiveAsync(buffer) is > 0 and var read)
                {
                    var (passing, reached) = look(buffer.AsMemory(0, read));
                    if (passing > 0) await to.SendAsync(buffer.AsMemory(0, passing));
                    reached?.Reached.TrySetResult();
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException) { } // one side has gone; the other follows
        }

        sealed class Stop(CutPoint point)
        {
            public CutPoint Point { get; } = point;

            public TaskCompletionSource Reached { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }
}
