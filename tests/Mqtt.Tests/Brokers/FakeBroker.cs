using System.Net;
using System.Net.Sockets;
using IotGateway.Connectors.Mqtt.Protocol;

namespace IotGateway.Tests.Mqtt.Brokers;

/// <summary>A broker that does what the test says, for what no real one does.</summary>
sealed class FakeBroker : IAsyncDisposable
{
    readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    readonly List<FakeConnection> _connections = [];

    public FakeBroker() => _listener.Start();

    public string Address => $"mqtt://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";

    /// <summary>Waits for the next connection.</summary>
    public async Task<FakeConnection> AcceptAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        var connection = new FakeConnection(await _listener.AcceptTcpClientAsync(limit.Token));
        _connections.Add(connection);
        return connection;
    }

    /// <summary>Accepts, answers CONNECT and SUBSCRIBE.</summary>
    public async Task<FakeConnection> AcceptSubscriberAsync(bool session = false, bool subscribes = true)
    {
        var connection = await AcceptAsync();
        await connection.WelcomeAsync(session);
        if (subscribes) await connection.GrantAsync();
        return connection;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var connection in _connections) await connection.DisposeAsync();
        _listener.Dispose();
    }
}

/// <summary>One connection, seen from the broker.</summary>
sealed class FakeConnection(TcpClient client) : IAsyncDisposable
{
    readonly NetworkStream _stream = client.GetStream();
    byte[] _buffer = [];

    public MqttVersion Version { get; private set; } = MqttVersion.V5;

    public ConnectPacket Connect { get; private set; } = null!;

    public async Task WelcomeAsync(bool session = false, MqttProperties properties = default)
    {
        Connect = await ReadAsync<ConnectPacket>();
        Version = Connect.Version;
        await SendAsync(new ConnAckPacket(ReasonCode.Success, session) { Properties = properties });
    }

    public async Task GrantAsync(ReasonCode? reason = null)
    {
        var subscribe = await ReadAsync<SubscribePacket>();
        await SendAsync(new SubAckPacket(PacketType.SubAck, subscribe.PacketId, subscribe.Filters.Select(f => reason is { } r ? (byte)r : (byte)(f.Options & 3)).ToArray()));
    }

    public Task SendAsync(params MqttPacket[] packets)
    {
        var w = new WireWriter();
        foreach (var packet in packets) MqttEncoder.Encode(w, packet, Version);
        return SendAsync(w.Written.ToArray());
    }

    public async Task SendAsync(byte[] bytes) => await _stream.WriteAsync(bytes);

    public Task PublishAsync(ushort id, string payload, byte qos = 1, bool dup = false, string topic = "t")
        => SendAsync(Message(id, payload, qos, dup, topic));

    public static PublishPacket Message(ushort id, string payload, byte qos = 1, bool dup = false, string topic = "t")
        => new() { Topic = System.Text.Encoding.UTF8.GetBytes(topic), Payload = System.Text.Encoding.UTF8.GetBytes(payload), PacketId = id, Qos = qos, Dup = dup };

    /// <summary>The next packet that is no PINGREQ; those are answered unless told otherwise. Null at the end of the stream.</summary>
    public async Task<MqttPacket?> ReadAsync(bool answerPings = true, double seconds = 10)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(seconds));
        while (true)
        {
            var packet = await NextAsync(limit.Token);
            if (packet is not PingPacket || !answerPings) return packet;
            await SendAsync(PingPacket.Response);
        }
    }

    public async Task<T> ReadAsync<T>(bool answerPings = true) where T : MqttPacket => Assert.IsType<T>(await ReadAsync(answerPings));

    public async Task<ushort> AckAsync(PacketType type)
    {
        var ack = await ReadAsync<AckPacket>();
        Assert.Equal(type, ack.Type);
        return ack.PacketId;
    }

    /// <summary>Asserts that nothing comes for a while, pings aside.</summary>
    public async Task SilenceAsync(int milliseconds = 300)
    {
        try
        {
            Assert.Fail($"{(await ReadAsync(seconds: milliseconds / 1000.0))?.Type} came where nothing should");
        }
        catch (OperationCanceledException) { } // silence
    }

    async Task<MqttPacket?> NextAsync(CancellationToken ct)
    {
        var chunk = new byte[65_536];
        while (true)
        {
            if (PacketHeader.TryRead(_buffer, Version, MqttLimits.Protocol, out var header) && header.Total <= _buffer.Length)
            {
                var packet = MqttDecoder.Decode(header, _buffer.AsMemory(header.Size, header.Body), Version, MqttLimits.Protocol);
                _buffer = _buffer[header.Total..];
                return packet;
            }
            int read;
            try { read = await _stream.ReadAsync(chunk, ct); }
            catch (IOException) { return null; }
            if (read == 0) return null;
            _buffer = [.. _buffer, .. chunk.AsSpan(0, read)];
        }
    }

    public ValueTask DisposeAsync()
    {
        client.Dispose();
        return default;
    }
}
