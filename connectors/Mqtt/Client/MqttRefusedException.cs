using IotGateway.Connectors.Mqtt.Protocol;

namespace IotGateway.Connectors.Mqtt.Client;

/// <summary>The broker said no: in CONNACK, in an acknowledgement, or by DISCONNECT.</summary>
/// <param name="what">What it refused, as the start of a sentence.</param>
/// <param name="reason">Its reason code.</param>
/// <param name="text">Its reason string or server reference, if it gave one; shortened and without control characters here.</param>
sealed class MqttRefusedException(string what, ReasonCode reason, string? text = null)
    : Exception($"{what}: {reason.Text()}{(text is null ? "" : $" ({Clean(text)})")}.")
{
    public ReasonCode Reason => reason;

    /// <summary>Where the broker says to go instead, as it wrote it (§4.11); null when it does not.</summary>
    public string? ServerReference { get; init; }

    /// <summary>Makes one of a packet's reason and properties.</summary>
    public static MqttRefusedException Of(string what, ReasonCode reason, MqttProperties properties) => new(what, reason, TextOf(properties))
    {
        ServerReference = reason is ReasonCode.UseAnotherServer or ReasonCode.ServerMoved ? properties.Text(PropertyId.ServerReference) : null,
    };

    /// <summary>Whether only a human can help: credentials, permissions, a client id the broker does not take.</summary>
    public bool IsPermanent => reason is ReasonCode.BadUserNameOrPassword or ReasonCode.NotAuthorized or ReasonCode.ClientIdNotValid
        or ReasonCode.BadAuthenticationMethod or ReasonCode.Banned;

    static string Clean(string text)
        => string.Concat(text.Take(200).Select(c => char.IsControl(c) ? ' ' : c));

    /// <summary>Reason string and server reference (MQTT 5 §3.2.2.3.9, §3.2.2.3.16) in one text.</summary>
    public static string? TextOf(MqttProperties properties)
    {
        var reason = properties.Text(PropertyId.ReasonString);
        var server = properties.Text(PropertyId.ServerReference);
        return server is null ? reason : reason is null ? $"use server {server}" : $"{reason}; use server {server}";
    }
}
