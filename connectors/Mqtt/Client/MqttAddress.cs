namespace IotGateway.Connectors.Mqtt.Client;

/// <summary>One broker address: <c>mqtt://</c>, <c>mqtts://</c>, <c>ws://</c>, <c>wss://</c> or <c>unix://</c>.</summary>
sealed record MqttAddress(string Scheme, string Host, int Port, string Path)
{
    public bool IsTls => Scheme is "mqtts" or "wss";

    public bool IsWebSocket => Scheme is "ws" or "wss";

    public bool IsUnix => Scheme == "unix";

    /// <summary>Reads an address; null and a sentence when it is none. Ports default to 1883, 8883, 80 and 443 as registered with IANA.</summary>
    public static MqttAddress? TryParse(string text, out string? error)
    {
        error = null;
        if (text.StartsWith("unix://", StringComparison.Ordinal) && text.Length > 8 && text[7] == '/') return new("unix", "", 0, text[7..]);
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Host.Length == 0 || uri.Scheme is not ("mqtt" or "mqtts" or "ws" or "wss"))
        {
            error = $"'{text}' is no broker address; write mqtt://HOST:1883, mqtts://HOST:8883, ws://HOST/PATH, wss://HOST/PATH or unix:///PATH.";
            return null;
        }
        if (uri.UserInfo.Length > 0)
        {
            error = $"The address of host '{uri.Host}' holds a user name; write it as \"username\" and \"password\".";
            return null;
        }
        if (!uri.Scheme.StartsWith('w') && uri.PathAndQuery is not ("" or "/"))
        {
            error = $"'{text}' has a path; only ws:// and wss:// take one.";
            return null;
        }
        var port = uri.Port > 0 ? uri.Port : uri.Scheme switch { "mqtt" => 1883, "mqtts" => 8883, "ws" => 80, _ => 443 };
        return new(uri.Scheme, uri.DnsSafeHost, port, uri.PathAndQuery);
    }

    /// <summary>As written in logs and errors; never holds a secret.</summary>
    public override string ToString() => IsUnix ? $"unix://{Path}" : $"{Scheme}://{(Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]" : Host)}:{Port}{(IsWebSocket ? Path : "")}";
}
