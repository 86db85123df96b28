using System.Globalization;

namespace IotGateway.Connectors.Modbus.Config;

/// <summary>Host and port of a Modbus TCP server, written <c>tcp://host:port</c>; the port defaults to 502 (TCP §4.3.1).</summary>
/// <param name="Host">Name or address.</param>
/// <param name="Port">Port.</param>
internal readonly record struct EndpointAddress(string Host, int Port)
{
    /// <summary>Reads an address; false when the text is none.</summary>
    public static bool TryParse(string text, out EndpointAddress address)
    {
        address = default;
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Scheme != "tcp" || uri.Host.Length == 0 || uri.AbsolutePath is not ("" or "/") || uri.Query != "") return false;
        address = new(uri.Host.Trim('[', ']'), uri.Port > 0 ? uri.Port : 502);
        return true;
    }

    /// <summary>host:port.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Host}:{Port}");
}
