using System.Net;
using System.Net.Sockets;

namespace IotGateway.Host.Bench;

/// <summary>
/// Ports for programs this one starts, which must be known before those listen. They lie below those that outgoing connections take (net.ipv4.ip_local_port_range), and none is
/// given twice while this program lives, by whatever process of the kind: the UDP port of the same number is held as a sign. Safe for any thread.
/// </summary>
static class FreePorts
{
    const int First = 22_000, End = 32_000;
    static readonly List<Socket> Signs = [];

    /// <summary>A port that is free on 127.0.0.1, and <paramref name="also"/> further on too (0: one port only).</summary>
    public static int Take(int also = 0)
    {
        for (;;)
        {
            var port = Random.Shared.Next(First, End - also);
            if (TryTake(port) && (also == 0 || TryTake(port + also))) return port;
        }
    }

    static bool TryTake(int port)
    {
        using var probe = Bound(SocketType.Stream, ProtocolType.Tcp, port);
        if (probe is null || Bound(SocketType.Dgram, ProtocolType.Udp, port) is not { } sign) return false;
        lock (Signs) Signs.Add(sign);
        return true;
    }

    static Socket? Bound(SocketType type, ProtocolType protocol, int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, type, protocol);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            return socket;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            socket.Dispose();
            return null;
        }
    }
}
