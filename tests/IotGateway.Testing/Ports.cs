using System.Net;
using System.Net.Sockets;

namespace IotGateway.Testing;

/// <summary>
/// Ports for programs that a test starts and whose port must be known beforehand. No other test process, and no other test of this one, is given the same: each process holds a range of its own for as long
/// as it lives, and goes through it. They lie below those that outgoing connections take (net.ipv4.ip_local_port_range), which may be taken between choice and use. Safe for any thread.
/// </summary>
public static class Ports
{
    const int First = 12_000, Size = 400, Ranges = 25;
    static readonly (int Start, FileStream Lock) Range = Take();
    static int _given;

    /// <summary>A port that is free on 127.0.0.1 now, and <paramref name="also"/> further on too (0 to 200; 0: one port only).</summary>
    /// <exception cref="IOException">All ports of the range are in use.</exception>
    public static int Free(int also = 0)
    {
        for (var tries = 0; tries < Size; tries++)
        {
            var port = Range.Start + (int)((uint)Interlocked.Increment(ref _given) % (Size - also));
            if (IsFree(port) && (also == 0 || IsFree(port + also))) return port;
        }
        throw new IOException($"All ports from {Range.Start} to {Range.Start + Size - 1} are in use.");
    }

    static bool IsFree(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            return true;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            return false;
        }
    }

    static (int, FileStream) Take()
    {
        var folder = Directory.CreateDirectory($"/tmp/iotgateway-ports-{Environment.UserName}"); // whatever TMPDIR says: one for the machine
        for (var i = 0; i < Ranges; i++)
            try
            {
                return (First + i * Size, new FileStream(Path.Combine(folder.FullName, $"{First + i * Size}"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
            }
            catch (IOException) when (i < Ranges - 1)
            {
                continue; // another process has it
            }
        throw new IOException("unreachable");
    }
}
