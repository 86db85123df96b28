using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using IotGateway.Connectors.Modbus.Protocol;
using IotGateway.Connectors.Simulator.Line;

namespace IotGateway.Connectors.Simulator.Server;

/// <summary>
/// Serves the line over Modbus TCP: one task per client, requests answered in order. What is no Modbus ends the client's connection and
/// nothing else; beyond <see cref="MostClients"/> connections are closed at once, as small devices do.
/// </summary>
internal sealed class ModbusServer : IAsyncDisposable
{
    const int MostClients = 32;

    readonly PressLine _line;
    readonly Socket _listener;
    readonly ConcurrentDictionary<Socket, Task> _clients = new();
    readonly Task _accepting;
    uint _requests;

    /// <summary>Listens at once.</summary>
    /// <exception cref="IOException">The port is taken; the message says which setting to change.</exception>
    public ModbusServer(IPEndPoint listen, PressLine line)
    {
        _line = line;
        _listener = new(listen.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            _listener.Bind(listen);
            _listener.Listen();
        }
        catch (SocketException e)
        {
            _listener.Dispose();
            throw new IOException($"The simulator can not listen on {listen}: {e.Message}. Change 'listen', or stop what uses the port.", e);
        }
        Port = ((IPEndPoint)_listener.LocalEndPoint!).Port;
        _accepting = Task.Run(AcceptAsync);
    }

    /// <summary>Port it listens on.</summary>
    public int Port { get; }

    /// <summary>Requests answered so far; a counter that wraps.</summary>
    public uint Requests => Volatile.Read(ref _requests);

    async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptAsync(CancellationToken.None).ConfigureAwait(false);
                if (_clients.Count >= MostClients)
                {
                    client.Dispose();
                    continue;
                }
                client.NoDelay = true;
                var serving = new Task<Task>(() => ServeAsync(client));
                _clients[client] = serving.Unwrap();
                serving.Start(TaskScheduler.Default);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Closed: the only way this ends.
            foreach (var client in _clients.Keys) client.Dispose();
        }
    }

    async Task ServeAsync(Socket client)
    {
        var (received, reply, filled) = (new byte[Limits.Frame * 4], new byte[Limits.Frame], 0);
        try
        {
            while (await client.ReceiveAsync(received.AsMemory(filled), SocketFlags.None, CancellationToken.None).ConfigureAwait(false) is > 0 and var got)
            {
                filled += got;
                var used = 0;
                FrameResult found;
                while ((found = Framing.TryRead(received.AsSpan(used, filled - used), out var frame, out _)) == FrameResult.Frame)
                {
                    var pdu = received.AsMemory(used + Limits.Header, frame.Length - Limits.Header);
                    used += frame.Length;
                    var length = Answer(frame, pdu, reply);
                    Interlocked.Increment(ref _requests);
                    await client.SendAsync(reply.AsMemory(0, length), SocketFlags.None, CancellationToken.None).ConfigureAwait(false);
                }
                if (found == FrameResult.Garbage) return;
                received.AsSpan(used, filled - used).CopyTo(received);
                filled -= used;
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The client is gone, or the server stops; either way there is nobody to answer.
            filled = 0;
        }
        finally
        {
            _clients.TryRemove(client, out _);
            client.Dispose();
        }
    }

    int Answer(FrameHeader frame, ReadOnlyMemory<byte> pdu, byte[] reply)
    {
        Span<byte> data = stackalloc byte[Limits.Pdu];
        var code = ServerCodec.TryRead(frame.Unit, pdu, out var request);
        if (code == ExceptionCode.None) code = _line.Execute(request, data);
        if (code != ExceptionCode.None) return ServerCodec.WriteException(reply, frame.Transaction, frame.Unit, pdu.Span[0], code);
        return request.IsRead
            ? ServerCodec.WriteData(reply, frame.Transaction, request, data[..request.ReadBytes])
            : ServerCodec.WriteEcho(reply, frame.Transaction, request);
    }

    /// <summary>Closes the port and every connection, and waits for their tasks.</summary>
    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        await _accepting.ConfigureAwait(false);
        await Task.WhenAll(_clients.Values).ConfigureAwait(false);
    }
}
