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

        public Task Ended { get; }

        public void Reset()
        {
            foreach (var socket in new[] { _near, _far })
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
            var down = PumpAsync(_far, _near, bytes =>
            {
                if (LosesMessages) return false;
                foreach (var packet in fromBroker.Add(bytes)) _witness.FromBroker(packet);
                return true;
            });
            var up = PumpAsync(_near, _far, bytes =>
            {
                var passed = !LosesAcks;
                foreach (var packet in fromGateway.Add(bytes)) _witness.FromGateway(packet, passed);
                return passed;
            });
            await Task.WhenAny(down, up);
            _near.Dispose();
            _far.Dispose();
            await Task.WhenAll(down, up);
            _witness.Ended();
        }

        static async Task PumpAsync(Socket from, Socket to, Func<Memory<byte>, bool> look)
        {
            var buffer = new byte[65_536];
            try
            {
                while (await from.ReceiveAsync(buffer) is > 0 and var read)
                    if (look(buffer.AsMemory(0, read))) await to.SendAsync(buffer.AsMemory(0, read));
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException) { } // one side has gone; the other follows
        }
    }
}
