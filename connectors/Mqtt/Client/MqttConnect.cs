using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Authentication;
using System.Text;
using IotGateway.Connectors.Mqtt.Protocol;

namespace IotGateway.Connectors.Mqtt.Client;

/// <summary>The opening of a connection: transport, CONNECT, CONNACK. Bounded by <see cref="MqttClientOptions.Timeout"/> as a whole.</summary>
static class MqttConnect
{
    /// <summary>Connects.</summary>
    /// <exception cref="MqttRefusedException">The broker refused.</exception>
    /// <exception cref="IOException">The broker cannot be reached, did not answer in time, or closed; the message names the address.</exception>
    /// <exception cref="MqttProtocolException">What answered does not speak MQTT.</exception>
    public static async Task<MqttClient> ConnectAsync(MqttClientOptions options, MqttAddress address, TimeProvider time, CancellationToken ct)
    {
        using var timeout = new CancellationTokenSource(options.Timeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(ct, timeout.Token);
        try
        {
            var stream = await Transport.OpenAsync(address, options.Tls, options.Pins, options.Proxy, both.Token).ConfigureAwait(false);
            try
            {
                return await HandshakeAsync(options, address, stream, time, both.Token).ConfigureAwait(false);
            }
            catch
            {
                await stream.DisposeAsync().ConfigureAwait(false);
                throw;
            }
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new IOException($"{address} did not answer within {options.Timeout.TotalSeconds:0.#} s.");
        }
        catch (Exception e) when (e is SocketException or AuthenticationException or WebSocketException or IOException and not ClosedBeforeConnAckException)
        {
            throw new IOException($"{address}: {e.Message}{(e.InnerException is { } inner ? " " + inner.Message : "")}", e);
        }
    }

    static async Task<MqttClient> HandshakeAsync(MqttClientOptions options, MqttAddress address, Stream stream, TimeProvider time, CancellationToken ct)
    {
        var sender = new PacketSender(stream, time);
        var reader = new PacketReader(stream, new(options.MaxPacketSize)) { Version = options.Version };
        var scram = options.Scram ? new ScramSha256(options.Username ?? "", options.Password ?? "") : null;
        await sender.SendAsync(Packet(options, scram), static (w, p) => MqttEncoder.Encode(w, p, p.Version), ping: false, ct).ConfigureAwait(false);
        var answer = await reader.ReadAsync(ct).ConfigureAwait(false);
        if (scram is not null && answer is AuthPacket { Reason: ReasonCode.ContinueAuthentication } challenge)
        {
            if (challenge.Properties.Text(PropertyId.AuthenticationMethod) != ScramSha256.Method) throw new MqttProtocolException(ReasonCode.ProtocolError); // §4.12
            var proof = new AuthPacket(ReasonCode.ContinueAuthentication) { Properties = Authentication(new(), scram.Final((challenge.Properties.Data(PropertyId.AuthenticationData) ?? default).Span)).Build() };
            await sender.SendAsync(proof, static (w, p) => MqttEncoder.Encode(w, p, MqttVersion.V5), ping: false, ct).ConfigureAwait(false);
            answer = await reader.ReadAsync(ct).ConfigureAwait(false);
        }
        switch (answer)
        {
            case ConnAckPacket { Reason: ReasonCode.Success } ack:
                scram?.Verify((ack.Properties.Data(PropertyId.AuthenticationData) ?? default).Span);
                if (ack.SessionPresent && options.CleanStart) throw new MqttProtocolException(ReasonCode.ProtocolError); // §3.2.2.1.1
                return new(options, address, time, stream, reader, sender, ack);
            case ConnAckPacket ack:
                throw MqttRefusedException.Of($"{address} refused the connection", ack.Reason, ack.Properties);
            case null:
                throw new ClosedBeforeConnAckException(address);
            default:
                throw new MqttProtocolException(ReasonCode.ProtocolError);
        }
    }

    static ConnectPacket Packet(MqttClientOptions o, ScramSha256? scram)
    {
        var properties = new PropertiesBuilder();
        if (o.Version == MqttVersion.V5)
        {
            // 0xFFFFFFFF never expires (§3.1.2.11.2).
            if (o.SessionExpiry > TimeSpan.Zero) properties.Number(PropertyId.SessionExpiry, (uint)Math.Min(uint.MaxValue, Math.Ceiling(o.SessionExpiry.TotalSeconds)));
            properties.Number(PropertyId.ReceiveMaximum, (uint)o.ReceiveMaximum).Number(PropertyId.MaximumPacketSize, (uint)o.MaxPacketSize);
            if (scram is not null) Authentication(properties, scram.First());
            if (o.TopicAliasMaximum > 0) properties.Number(PropertyId.TopicAliasMaximum, (uint)o.TopicAliasMaximum);
        }
        return new()
        {
            Version = o.Version, ClientId = o.ClientId, Username = scram is null ? o.Username : null, Will = o.Will, Properties = properties.Build(),
            Password = scram is null && o.Password is { } password ? Encoding.UTF8.GetBytes(password) : (ReadOnlyMemory<byte>?)null,
            CleanStart = o.CleanStart, KeepAlive = (ushort)Math.Clamp(Math.Ceiling(o.KeepAlive.TotalSeconds), 0, ushort.MaxValue),
        };
    }

    /// <summary>Adds method and data (§3.15.2.2).</summary>
    internal static PropertiesBuilder Authentication(PropertiesBuilder properties, byte[] data)
        => properties.Text(PropertyId.AuthenticationMethod, ScramSha256.Method).Data(PropertyId.AuthenticationData, data);
}
