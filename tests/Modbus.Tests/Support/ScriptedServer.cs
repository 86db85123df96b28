using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using IotGateway.Connectors.Modbus.Protocol;

namespace Modbus.Tests.Support;

/// <summary>
/// A Modbus server whose answers a test scripts, hostile ones included. By default it is a decent device: every register holds its
/// own address, every bit is set where its address is even; writes are kept.
/// </summary>
internal sealed class ScriptedServer : IAsyncDisposable
{
    readonly CancellationTokenSource _stop = new();
    readonly ConcurrentDictionary<Socket, byte> _clients = new();
    TcpListener _listener;
    Task _accepting;

    public ScriptedServer()
    {
        _listener = new(IPAddress.Loopback, 0);
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _accepting = AcceptAsync();
    }

    public int Port { get; }

    public string Endpoint => $"tcp://127.0.0.1:{Port}";

    /// <summary>Every request seen, in order.</summary>
    public ConcurrentQueue<Request> Seen { get; } = new();

    /// <summary>Connections accepted so far.</summary>
    public int Accepted;

    /// <summary>Values written by functions 6, 16 and 22, by (unit, address).</summary>
    public ConcurrentDictionary<(byte, int), ushort> Written { get; } = new();

    /// <summary>Answers one request; null falls back to the decent device.</summary>
    public Func<Call, Task<bool>>? Script { get; set; }

    /// <summary>One request and the means to answer it.</summary>
    public sealed record Call(ScriptedServer Server, Socket Client, ushort Transaction, byte Unit, Request Request, int Number)
    {
        public Task SendAsync(params byte[] bytes) => Client.SendAsync(bytes);

        /// <summary>The decent answer, as a frame.</summary>
        public byte[] Decent() => Server.DecentFrame(Transaction, Request);

        public byte[] Exception(int code)
        {
            var frame = new byte[Limits.Frame];
            return frame[..ServerCodec.WriteException(frame, Transaction, Unit, (byte)Request.Function, (ExceptionCode)code)];
        }
    }

    public async Task StopAsync()
    {
        _listener.Stop();
        foreach (var client in _clients.Keys) client.Close();
        await _accepting;
    }

    public void Restart()
    {
        _listener = new(IPAddress.Loopback, Port);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public void DropClients()
    {
        foreach (var client in _clients.Keys) client.Close();
    }

    public byte[] DecentFrame(ushort transaction, Request request)
    {
        var frame = new byte[Limits.Frame];
        if (!request.IsRead)
        {
            Keep(request);
            return frame[..ServerCodec.WriteEcho(frame, transaction, request)];
        }
        var data = new byte[request.ReadBytes];
        for (var i = 0; i < request.Quantity; i++)
        {
            var address = request.Address + i;
            if (request.Function is FunctionCode.ReadCoils or FunctionCode.ReadDiscreteInputs) data[i / 8] |= (byte)(address % 2 == 0 ? 1 << i % 8 : 0);
            else
            {
                var value = Written.TryGetValue((request.Unit, address), out var written) ? written : (ushort)address;
                (data[i * 2], data[i * 2 + 1]) = ((byte)(value >> 8), (byte)value);
            }
        }
        return frame[..ServerCodec.WriteData(frame, transaction, request, data)];
    }

    void Keep(Request request)
    {
        var data = request.Data.Span;
        if (request.Function is FunctionCode.WriteSingleRegister or FunctionCode.WriteMultipleRegisters)
            for (var i = 0; i < request.Quantity; i++)
                Written[(request.Unit, request.Address + i)] = (ushort)(data[i * 2] << 8 | data[i * 2 + 1]);
        if (request.Function == FunctionCode.MaskWriteRegister)
        {
            var (and, or) = ((ushort)(data[0] << 8 | data[1]), (ushort)(data[2] << 8 | data[3]));
            Written.AddOrUpdate((request.Unit, request.Address), _ => (ushort)(request.Address & and | or & ~and), (_, old) => (ushort)(old & and | or & ~and));
        }
    }

    async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            Socket client;
            try { client = await _listener.AcceptSocketAsync(); }
            catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidOperationException) { return; }
            client.NoDelay = true;
            Interlocked.Increment(ref Accepted);
            _clients.TryAdd(client, 0);
            _ = ServeAsync(client);
        }
    }

    async Task ServeAsync(Socket client)
    {
        var buffer = new byte[2048];
        var filled = 0;
        try
        {
            while (true)
            {
                var got = await client.ReceiveAsync(buffer.AsMemory(filled), SocketFlags.None);
                if (got == 0) return;
                filled += got;
                while (Framing.TryRead(buffer.AsSpan(0, filled), out var frame, out _) == FrameResult.Frame)
                {
                    var pdu = buffer.AsMemory(Limits.Header, frame.Length - Limits.Header).ToArray();
                    buffer.AsSpan(frame.Length, filled - frame.Length).CopyTo(buffer);
                    filled -= frame.Length;
                    if (ServerCodec.TryRead(frame.Unit, pdu, out var request) != ExceptionCode.None) throw new InvalidOperationException("The client sent a request no server takes: " + Convert.ToHexString(pdu));
                    Seen.Enqueue(request);
                    var call = new Call(this, client, frame.Transaction, frame.Unit, request, Seen.Count);
                    if (Script is { } script && await script(call)) continue;
                    await call.SendAsync(call.Decent());
                }
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test or the client closed it.
            Assert.NotNull(e);
        }
        finally
        {
            _clients.TryRemove(client, out _);
            client.Dispose();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await StopAsync();
        _stop.Dispose();
    }
}
