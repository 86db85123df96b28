using System.Net;

namespace IotGateway.Connect.Configs;

/// <summary>What an address to listen on looks like, and which of them leave the machine.</summary>
internal static class ListenRule
{
    public const string Pattern = @"^([a-zA-Z0-9.-]+|\*|\[[0-9a-fA-F:.]+\]):[0-9]{1,5}$";
    public const string Exposed = "This address can be reached from other machines, and there is no authentication yet. Listen on 127.0.0.1, or set \"insecure\": true.";

    public static bool IsLoopback(string listen)
    {
        var host = listen[..Math.Max(0, listen.LastIndexOf(':'))].Trim('[', ']');
        return host == "localhost" || IPAddress.TryParse(host, out var ip) && IPAddress.IsLoopback(ip);
    }
}
