using System.Net;
using System.Net.Sockets;

namespace IotGateway.Broker.Security;

/// <summary>Addresses as Java writes them, which is how ACLs and group descriptions name hosts. Pure.</summary>
internal static class HostAddress
{
    /// <summary>An IPv4 address also where it came over an IPv6 socket; IPv6 without the short form and without a zone.</summary>
    public static string Of(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        if (address.AddressFamily != AddressFamily.InterNetworkV6) return address.ToString();
        var bytes = address.GetAddressBytes();
        return string.Join(':', Enumerable.Range(0, 8).Select(i => (bytes[2 * i] << 8 | bytes[2 * i + 1]).ToString("x", System.Globalization.CultureInfo.InvariantCulture)));
    }
}
