using IotGateway.Connectors.Mqtt.Client;
using IotGateway.Connectors.Mqtt.Protocol;
using IotGateway.Sdk;

namespace IotGateway.Connectors.Mqtt;

/// <summary>Finds a broker that takes us: each address in turn, each version the configuration allows.</summary>
sealed class BrokerSession(MqttConnection config, ConnectorContext context, InstanceMemory memory, string suffix = "")
{
    /// <summary>What the broker publishes when the connection ends without a goodbye; a probe has none.</summary>
    public Will? Will { get; set; }

    /// <summary>The client id of normal running.</summary>
    public string ClientId { get; } = (config.ClientId ?? $"{context.Gateway}-{context.Name}-{context.InstallId}") + suffix;

    /// <summary>Connects.</summary>
    /// <exception cref="PermanentException">Every broker refused for a reason only a human can change.</exception>
    /// <exception cref="IOException">No broker could be reached or wanted us; says which and why.</exception>
    public async Task<MqttClient> ConnectAsync(OpenMode mode, bool clean, CancellationToken ct)
    {
        if (mode == OpenMode.Run && !clean && memory.StayAway(ClientId, config.TakeoverWait, context.Time) is { Ticks: > 0 } left)
            throw new IOException($"Another client uses the client id '{ClientId}' and took the session; trying again in {left.TotalSeconds:0} s. Give one of them another clientId.");
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
        catch (Exception e) when (config.Version == "auto" && config.Authentication == MqttAuthentication.Password && e is (ClosedBeforeConnAckException or MqttRefusedException { Reason: ReasonCode.UnsupportedProtocolVersion }))
        {
            return await MqttConnect.ConnectAsync(Options(MqttVersion.V311, mode, clean), address, context.Time, ct).ConfigureAwait(false);
        }
    }

    MqttClientOptions Options(MqttVersion version, OpenMode mode, bool clean)
    {
        var probe = mode == OpenMode.Probe;
        var (expiry, window, largest) = config.Inbound;
        var none = probe || clean || expiry == TimeSpan.Zero;
        return new()
        {
            Version = version,
            ClientId = probe ? $"{ClientId}-probe-{Guid.NewGuid():N}" : ClientId,
            Username = config.Username,
            Password = config.Password,
            Tls = config.Tls,
            Pins = config.Pins,
            Scram = config.Authentication == MqttAuthentication.ScramSha256,
            CleanStart = none,
            SessionExpiry = none ? TimeSpan.Zero : expiry,
            KeepAlive = config.KeepAlive,
            ReceiveMaximum = window,
            MaxPacketSize = largest,
            Timeout = config.Timeout,
            Will = probe ? null : Will,
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

    /// <summary>Why a connection ended, in words for the runtime; notes a takeover, so that it is not fought for in a loop.</summary>
    public Exception Explain(Exception cause, MqttClient client)
    {
        if (cause is MqttRefusedException { Reason: ReasonCode.SessionTakenOver })
        {
            memory.NoteTakeover(ClientId, context.Time);
            return new IOException($"Another client connected to {client.Address} with the client id '{ClientId}' and took the session. "
                + $"Give one of them another clientId; this connector stays away for {config.TakeoverWait.TotalSeconds:0} s.", cause);
        }
        return cause is MqttRefusedException or MqttProtocolException ? new IOException($"{client.Address}: {cause.Message}", cause) : cause;
    }

    /// <summary>Names the broker's session for the durable state.</summary>
    public string Identity(MqttClient client) => $"{ClientId}@{client.Address}";
}
