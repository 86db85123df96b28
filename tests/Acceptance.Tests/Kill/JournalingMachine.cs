using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Acceptance.Tests.Kill;

/// <summary>A Modbus TCP machine that remembers every register write it executed: what counts is what the machine did, not what the gateway says.</summary>
sealed class JournalingMachine : IAsyncDisposable
{
    readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    readonly ConcurrentDictionary<(int Unit, int Register), ushort> _registers = [];
    readonly CancellationTokenSource _stop = new();
    readonly Task _accepting;

    public JournalingMachine()
    {
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Every write, in the order of execution.</summary>
    public ConcurrentQueue<(int Unit, ushort Value)> Writes { get; } = [];

    async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try { _ = ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token)); }
            catch (OperationCanceledException) { return; }
        }
    }

    async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            var stream = client.GetStream();
            var frame = new byte[260];
            try
            {
                for (;;)
                {
                    await stream.ReadExactlyAsync(frame.AsMemory(0, 7), _stop.Token);
                    var length = BinaryPrimitives.ReadUInt16BigEndian(frame.AsSpan(4)) - 1;
                    await stream.ReadExactlyAsync(frame.AsMemory(7, length), _stop.Token);
                    await stream.WriteAsync(Answer(frame, length), _stop.Token);
                }
            }
            catch (Exception e) when (e is IOException or OperationCanceledException)
            {
                return; // the gateway was killed, or the test is over
            }
        }
    }

    byte[] Answer(byte[] request, int length)
    {
        int unit = request[6], function = request[7], register = BinaryPrimitives.ReadUInt16BigEndian(request.AsSpan(8));
        byte[] body;
        if (function == 3)
        {
            var count = BinaryPrimitives.ReadUInt16BigEndian(request.AsSpan(10));
            body = [3, (byte)(2 * count), .. Enumerable.Range(register, count).SelectMany(r => Bytes(_registers.GetValueOrDefault((unit, r))))];
        }
        else
        {
            // 6 (one register) or 16 (several, here one): the value is last, the echo is the first five bytes.
            var value = BinaryPrimitives.ReadUInt16BigEndian(request.AsSpan(7 + length - 2));
            _registers[(unit, register)] = value;
            Writes.Enqueue((unit, value));
            body = request[7..12];
        }
        return [request[0], request[1], 0, 0, .. Bytes((ushort)(body.Length + 1)), (byte)unit, .. body];
    }

    static byte[] Bytes(ushort value) => [(byte)(value >> 8), (byte)value];

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _accepting;
        _listener.Dispose();
    }
}
