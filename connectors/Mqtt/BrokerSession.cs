using IotGateway.Connectors.Mqtt.Client;
using IotGateway.Connectors.Mqtt.Protocol;
using IotGateway.Sdk;
using Microsoft.Extensions.Logging;

namespace IotGateway.Connectors.Mqtt;

/// <summary>Finds a broker that takes us: each address in turn, wherever it sends us, each version the configuration allows. Not thread-safe.</summary>
sealed partial class BrokerSession(MqttConnection config, ConnectorContext context, InstanceMemory memory, string suffix = "")
{
    const int MostRedirects = 3; // in a row: two brokers may name each other

    MqttAddress? _configured; // the address of the configuration by which the last connection was found

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
                return await FollowAsync(_configured = address, mode, clean, ct).ConfigureAwait(false);
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

    /// <summary>Connects to an address, or to where brokers send us.</summary>
    async Task<MqttClient> FollowAsync(MqttAddress configured, OpenMode mode, bool clean, CancellationToken ct)
    {
        var address = memory.Redirect(configured) ?? configured;
        for (var redirects = 0; ;)
            try
            {
                return await ConnectAsync(address, mode, clean, ct).ConfigureAwait(false);
            }
            catch (MqttRefusedException e) when (redirects < MostRedirects && Next(configured, address, e) is { } next)
            {
                redirects++;
                address = next;
            }
            catch (Exception e) when (address != configured && redirects == 0 && e is IOException or MqttRefusedException or MqttProtocolException)
            {
                memory.ForgetRedirect(configured);
                address = configured;
            }
    }

    /// <summary>Where a refusal sends us, if we go there; notes what holds for later connections too.</summary>
    MqttAddress? Next(MqttAddress configured, MqttAddress from, MqttRefusedException refusal)
    {
        if (refusal.Reason is not (ReasonCode.UseAnotherServer or ReasonCode.ServerMoved) || !config.FollowRedirects) return null;
        if (ServerReference.Read(refusal.ServerReference, from, out var why) is not { } to)
        {
            Log.NotFollowed(context.Logger, context.Name, from, why!);
            return null;
        }
        var moved = refusal.Reason == ReasonCode.ServerMoved;
        if (moved) memory.NoteRedirect(configured, to, moved);
        Log.Followed(context.Logger, context.Name, from, to, moved ? " It has moved for good: write the new address into 'endpoint'." : "");
        return to;
    }

    async Task<MqttClient> ConnectAsync(MqttAddress address, OpenMode mode, bool clean, CancellationToken ct)
    {
        if (config.Version is "3.1" or "3.1.1") return await MqttConnect.ConnectAsync(Options(config.Version == "3.1" ? MqttVersion.V31 : MqttVersion.V311, mode, clean), address, context.Time, ct).ConfigureAwait(false);
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
            Proxy = config.Proxy,
            Reauthenticate = config.Reauthenticate,
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
        if (cause is MqttRefusedException refusal && _configured is { } configured && Next(configured, client.Address, refusal) is { } to)
            memory.NoteRedirect(configured, to, refusal.Reason == ReasonCode.ServerMoved);
        return cause is MqttRefusedException or MqttProtocolException ? new IOException($"{client.Address}: {cause.Message}", cause) : cause;
    }

    /// <summary>Names the broker's session for the durable state.</summary>
    public string Identity(MqttClient client) => $"{ClientId}@{client.Address}";

    static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "{Connector}: {From} sends its clients to {To}, where this connector goes.{Advice}")]
        public static partial void Followed(ILogger logger, string connector, MqttAddress from, MqttAddress to, string advice);

        [LoggerMessage(2, LogLevel.Warning, "{Connector}: {From} sends its clients elsewhere; that is not followed, because {Why}. If it is right, write the address into 'endpoint'.")]
        public static partial void NotFollowed(ILogger logger, string connector, MqttAddress from, string why);
    }
}
