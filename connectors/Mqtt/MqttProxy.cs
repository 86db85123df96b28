using IotGateway.Sdk.Config;

namespace IotGateway.Connectors.Mqtt;

/// <summary>A proxy by way of which brokers are reached. TLS goes through it untouched: it sees neither password nor messages of mqtts:// and wss://.</summary>
public sealed record MqttProxy
{
    /// <summary>Where it is.</summary>
    [Option("Address of the proxy: http://HOST:PORT (CONNECT) or socks5://HOST:PORT.", Example = "http://proxy.plant:3128")]
    public required string Address { get; init; }

    /// <summary>User name.</summary>
    [Option("User name at the proxy.")]
    public string? Username { get; init; }

    /// <summary>Password.</summary>
    [Option("Password at the proxy.", Secret = true, Example = "${env:PROXY_PASSWORD}")]
    public string? Password { get; init; }

    /// <summary>What is wrong with the address; null when it can be used.</summary>
    internal string? Error => Uri.TryCreate(Address, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "socks5" && uri is { UserInfo.Length: 0, Host.Length: > 0, Port: > 0, PathAndQuery: "" or "/" }
        ? null : "A proxy is written http://HOST:PORT or socks5://HOST:PORT; user name and password are options of their own.";
}
