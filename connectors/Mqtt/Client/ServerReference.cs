using System.Net;

namespace IotGateway.Connectors.Mqtt.Client;

/// <summary>Where a broker sends us (MQTT 5 §4.11), and whether to go there: a redirect must not lead around what the configuration asks for. Pure.</summary>
static class ServerReference
{
    /// <summary>The first of the references that can be followed.</summary>
    /// <param name="text">References, separated by spaces: HOST, HOST:PORT or a whole address.</param>
    /// <param name="from">Who says so.</param>
    /// <param name="refusal">Why none can; null when one can.</param>
    public static MqttAddress? Read(string? text, MqttAddress from, out string? refusal)
    {
        refusal = "it names no server";
        foreach (var reference in (text ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            var whole = reference.Contains("://", StringComparison.Ordinal) || from.IsUnix ? reference : $"{from.Scheme}://{reference}{(from.IsWebSocket ? from.Path : "")}";
            if (MqttAddress.TryParse(whole, out _) is not { } to) refusal = "the server it names is no broker address";
            else if (to.Scheme != from.Scheme) refusal = "it asks for another transport";
            else if (IsLinkLocal(to.Host)) refusal = "it names a link-local address";
            else if (IsLoopback(to.Host) && !IsLoopback(from.Host)) refusal = "it names this machine";
            else
            {
                refusal = null;
                return to;
            }
        }
        return null;
    }

    static bool IsLoopback(string host) => host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host, out var ip) && (IPAddress.IsLoopback(ip) || ip.Equals(IPAddress.Any) || ip.Equals(IPAddress.IPv6Any)));

    static bool IsLinkLocal(string host) => IPAddress.TryParse(host, out var ip) && (ip.IsIPv6LinkLocal || (ip.MapToIPv4().GetAddressBytes() is [169, 254, ..] && (ip.IsIPv4MappedToIPv6 || ip.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork)));
}
