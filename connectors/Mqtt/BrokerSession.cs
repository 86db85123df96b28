using IotGateway.Connectors.Mqtt.Client;
using IotGateway.Connectors.Mqtt.Protocol;
using IotGateway.Sdk;

namespace IotGateway.Connectors.Mqtt;

/// <summary>Finds a broker that takes us: each address in turn, each version the configuration allows. Stateless.</summary>
sealed class BrokerSession(MqttConfig config, ConnectorContext context)
{
    /// <summary>The client id of normal running.</summary>
    public string ClientId => config.ClientId ?? $"{context.Gateway}-{context.Name}-{context.InstallId}";

    /// <summary>Connects.</summary>
    /// <exception cref="PermanentException">Every broker refused for a reason only a human can change.</exception>
    /// <exception cref="IOException">No broker could be reached or wanted us; says which and why.</exception>
    public async Task<MqttClient> ConnectAsync(OpenMode mode, bool clean, CancellationToken ct)
    {
        var errors = new List<Exception>();
        foreach (var text in config.Endpoint)
        {
            var address = MqttAddress.TryParse(text, out var wrong) ?? throw new PermanentException(wrong!);
            try
            {
                return await ConnectAsync(address, mode, clean, ct).ConfigureAwait(false);
            }
            catch (Exception e) when (e is MqttRefusedException or IOException or MqttProtocolException)
            {
                errors.Add(e is MqttProtocolException ? new IOException($"{address} does not speak MQTT as it should: {e.Message}", e) : e);
            }
        }
        var message = string.Join(" ", errors.Select(e => e.Message));
        if (errors.TrueForAll(e => e is MqttRefusedException { IsPermanent: true }))
            throw new PermanentException($"{message} Check username, password, client id '{ClientId}' and the broker's permissions.", errors[0]);
        throw new IOException(message, errors[0]);
    }

    async Task<MqttClient> ConnectAsync(MqttAddress address, OpenMode mode, bool clean, CancellationToken ct)
    {
        if (config.Version == "3.1.1") return await MqttConnect.ConnectAsync(Options(MqttVersion.V311, mode, clean), address, context.Time, ct).ConfigureAwait(false);
        try
        {
            return await MqttConnect.ConnectAsync(Options(MqttVersion.V5, mode, clean), address, context.Time, ct).ConfigureAwait(false);
        }
        catch (Exception e) when (config.Version == "auto" && e is (ClosedBeforeConnAckException or MqttRefusedException { Reason: ReasonCode.UnsupportedProtocolVersion }))
        {
            return await MqttConnect.ConnectAsync(Options(MqttVersion.V311, mode, clean), address, context.Time, ct).ConfigureAwait(false);
        }
    }

    MqttClientOptions Options(MqttVersion version, OpenMode mode, bool clean)
    {
        var probe = mode == OpenMode.Probe;
        var none = probe || clean || config.SessionExpiry == TimeSpan.Zero;
        return new()
        {
            Version = version,
            ClientId = probe ? $"{ClientId}-probe-{Guid.NewGuid():N}" : ClientId,
            Username = config.Username,
            Password = config.Password,
            Tls = config.Tls,
            CleanStart = none,
            SessionExpiry = none ? TimeSpan.Zero : config.SessionExpiry,
            KeepAlive = config.KeepAlive,
            ReceiveMaximum = config.ReceiveMaximum,
            MaxPacketSize = (int)config.MaxPacketSize.Bytes,
            Timeout = config.Timeout,
        };
    }

    /// <summary>Deletes the session at every broker that can be reached: a clean start ends the old session (MQTT 5 §3.1.2.4, 3.1.1 §3.1.2.4).</summary>
    /// <returns>What could not be deleted, in words; null when all is gone.</returns>
    public async Task<string?> DeleteAsync(CancellationToken ct)
    {
        try
        {
            await using var client = await ConnectAsync(OpenMode.Run, clean: true, ct).ConfigureAwait(false);
            await client.DisconnectAsync(ReasonCode.Success, null, ct).ConfigureAwait(false);
            return null;
        }
        catch (Exception e) when (e is IOException or PermanentException)
        {
            return e.Message;
        }
    }

    /// <summary>Names the broker's session for the durable state.</summary>
    public string Identity(MqttClient client) => $"{ClientId}@{client.Address}";
}
