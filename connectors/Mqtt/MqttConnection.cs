using System.ComponentModel.DataAnnotations;
using IotGateway.Connectors.Mqtt.Client;
using IotGateway.Sdk.Config;

namespace IotGateway.Connectors.Mqtt;

/// <summary>How a broker is reached: the options every connector of this plugin has.</summary>
public abstract record MqttConnection : IValidatableObject
{
    /// <summary>Brokers of one session.</summary>
    [Option("Broker address, or several tried in turn: mqtt://, mqtts://, ws://, wss:// or unix://.", Example = "mqtt://127.0.0.1:1883")]
    public required Endpoints Endpoint { get; init; }

    /// <summary>Client id.</summary>
    [Option("Client id; whoever else uses it takes the session. Default: ${gateway}-${connector}-${installId}.", Advanced = true)]
    public string? ClientId { get; init; }

    /// <summary>User name.</summary>
    [Option("User name.", Example = "gateway")]
    public string? Username { get; init; }

    /// <summary>Password.</summary>
    [Option("Password.", Secret = true, Example = "${env:MQTT_PASSWORD}")]
    public string? Password { get; init; }

    /// <summary>TLS for mqtts and wss.</summary>
    [Option("Authorities and client certificate for mqtts:// and wss://.")]
    public TlsConfig? Tls { get; init; }

    /// <summary>How the password is used.</summary>
    [Option("How user name and password are used: password sends them, scramSha256 proves them without sending and lets the broker prove that it knows them too (5.0).", Advanced = true)]
    public MqttAuthentication Authentication { get; init; } = MqttAuthentication.Password;

    /// <summary>Pinned keys.</summary>
    [Option("Public keys of which the broker's certificate, or one above it, must have one: sha256/ and the base64 of the key's SHA-256. In addition to all other checks.", Example = "[\"sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"]", Advanced = true)]
    public IReadOnlyList<string> Pins { get; init; } = [];

    /// <summary>Repeated authentication.</summary>
    [Option("How often the password is proven again on the running connection, with scramSha256; 0: never.", Advanced = true), Range(typeof(TimeSpan), "00:00:00", "30.00:00:00")]
    public TimeSpan Reauthenticate { get; init; }

    /// <summary>Proxy.</summary>
    [Option("Proxy by way of which the broker is reached; default: directly.", Advanced = true)]
    public MqttProxy? Proxy { get; init; }

    /// <summary>Redirects.</summary>
    [Option("Whether to go where the broker sends us (server reference, 5.0). Only with the same transport, never from TLS to plain, to a link-local address, or from elsewhere to this machine.", Advanced = true)]
    public bool FollowRedirects { get; init; } = true;

    /// <summary>Protocol version.</summary>
    [Option("Protocol version: auto (5.0, then 3.1.1 where the broker does not know it), 3.1, 3.1.1 or 5.0."), RegularExpression(@"^(auto|3\.1|3\.1\.1|5\.0)$")]
    public string Version { get; init; } = "auto";

    /// <summary>Keep alive.</summary>
    [Option("Longest silence before the broker is asked for a sign of life; it is given up after about twice this time.", Advanced = true), Range(typeof(TimeSpan), "00:00:01", "18:12:15")]
    public TimeSpan KeepAlive { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Timeout.</summary>
    [Option("How long the broker may take to answer while connecting and subscribing.", Advanced = true), Range(typeof(TimeSpan), "00:00:00.100", "00:05:00")]
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Wait after a takeover.</summary>
    [Option("How long to stay away after another client with the same client id took the session.", Advanced = true), Range(typeof(TimeSpan), "00:00:00", "1.00:00:00")]
    public TimeSpan TakeoverWait { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>What the broker is told of our end: how long it keeps the session, how much it may send.</summary>
    internal virtual (TimeSpan SessionExpiry, int ReceiveMaximum, int MaxPacketSize) Inbound => (TimeSpan.Zero, 1_000, 1 << 20);

    /// <inheritdoc/>
    public virtual IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (var text in Endpoint)
        {
            if (MqttAddress.TryParse(text, out var error) is null) yield return new(error, [nameof(Endpoint)]);
        }
        if (Endpoint.Count == 0) yield return new("At least one broker address is needed.", [nameof(Endpoint)]);
        if (Password is not null && Username is null && Version != "5.0") yield return new("A password without a user name needs \"version\": \"5.0\".", [nameof(Password)]);
        if (Tls is { Key: null, Certificate: not null } or { Key: not null, Certificate: null }) yield return new("A client certificate needs both 'certificate' and 'key'.", [nameof(Tls)]);
        if (Authentication == MqttAuthentication.ScramSha256 && (Username is null || Password is null)) yield return new("SCRAM needs 'username' and 'password'.", [nameof(Authentication)]);
        if (Authentication == MqttAuthentication.ScramSha256 && Version.StartsWith('3')) yield return new("MQTT 3.1.1 has no enhanced authentication; use version 5.0.", [nameof(Authentication)]);
        if (Reauthenticate > TimeSpan.Zero && Authentication != MqttAuthentication.ScramSha256) yield return new("Only scramSha256 can be proven again.", [nameof(Reauthenticate)]);
        if (Reauthenticate > TimeSpan.Zero && Reauthenticate < TimeSpan.FromSeconds(1)) yield return new("0, or at least 1s.", [nameof(Reauthenticate)]);
        if (Proxy?.Error is { } bad) yield return new(bad, [nameof(Proxy)]);
        if (Proxy is not null && Endpoint.Any(e => e.StartsWith("unix:", StringComparison.Ordinal))) yield return new("A Unix socket is not reached through a proxy.", [nameof(Proxy)]);
        foreach (var pin in Pins)
            if (!MqttTls.IsPin(pin)) yield return new($"'{pin}' is no pin; write sha256/ and the base64 of the key's SHA-256: openssl x509 -in CERT -pubkey -noout | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64", [nameof(Pins)]);
        if (Pins.Count > 0 && Endpoint.Any(e => !e.StartsWith("mqtts:", StringComparison.Ordinal) && !e.StartsWith("wss:", StringComparison.Ordinal))) yield return new("Pins need mqtts:// or wss:// addresses.", [nameof(Pins)]);
        if (ClientId is { Length: 0 }) yield return new("Must not be empty; leave it out for the default.", [nameof(ClientId)]);
    }
}

/// <summary>How user name and password are used.</summary>
public enum MqttAuthentication
{
    /// <summary>Sent in CONNECT; protect them by TLS.</summary>
    Password,

    /// <summary>Enhanced authentication by SCRAM-SHA-256 (MQTT 5 §4.12, RFC 7677).</summary>
    ScramSha256,
}
