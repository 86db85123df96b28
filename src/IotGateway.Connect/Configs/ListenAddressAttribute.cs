using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Net;

namespace IotGateway.Connect.Configs;

/// <summary>An address and port to listen on or to tell clients: <c>127.0.0.1:9092</c>, <c>[::1]:9092</c>, <c>*:9092</c>, <c>host:9092</c>.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class ListenAddressAttribute() : RegularExpressionAttribute(@"^([a-zA-Z0-9.-]+|\*|\[[0-9a-fA-F:.]+\]):[0-9]{1,5}$")
{
    public const string Exposed = "This address can be reached from other machines, and there is no authentication. Listen on 127.0.0.1, or set \"insecure\": true.";

    public override bool IsValid(object? value) => base.IsValid(value)
        && (value is not string text || ushort.TryParse(text.AsSpan(text.LastIndexOf(':') + 1), NumberStyles.None, CultureInfo.InvariantCulture, out _));

    public override string FormatErrorMessage(string name) => "Must be ADDRESS:PORT, such as 127.0.0.1:9092.";

    /// <summary>Whether it stands for all addresses of the machine, which clients cannot be told, however it is written.</summary>
    public static bool IsWildcard(string listen)
    {
        var host = listen[..listen.LastIndexOf(':')].Trim('[', ']');
        if (host == "*") return true;
        if (!IPAddress.TryParse(host, out var ip)) return false;
        return (ip.IsIPv4MappedToIPv6 ? ip.MapToIPv4() : ip) is var plain && (plain.Equals(IPAddress.Any) || plain.Equals(IPAddress.IPv6Any));
    }

    /// <summary>Whether it is an address that other machines can reach. A name other than localhost counts as one.</summary>
    public static bool IsExposed(string listen)
    {
        if (!new ListenAddressAttribute().IsValid(listen)) return false;
        var host = listen[..listen.LastIndexOf(':')].Trim('[', ']');
        return host != "localhost" && !(IPAddress.TryParse(host, out var ip) && IPAddress.IsLoopback(ip));
    }
}
