using System.Globalization;
using IotGateway.Connectors.Modbus.Config;

namespace IotGateway.Connectors.Modbus.Client;

/// <summary>How an endpoint is reached. Everyone who shares its bus must agree on these.</summary>
/// <param name="Addresses">Ways to the same endpoint, tried in turn.</param>
/// <param name="ConnectTimeout">Time for a connection.</param>
/// <param name="Reconnect">Longest pause between attempts.</param>
/// <param name="MaxInFlight">Most requests on their way at once.</param>
internal sealed record BusSettings(IReadOnlyList<EndpointAddress> Addresses, TimeSpan ConnectTimeout, TimeSpan Reconnect, int MaxInFlight)
{
    /// <summary>Names the bus among all connectors of the gateway.</summary>
    public string Key => "modbus-tcp:" + string.Join(",", Addresses);

    /// <summary>In words, so that two who disagree can be told apart.</summary>
    public string Words => string.Create(CultureInfo.InvariantCulture,
        $"maxInFlight {MaxInFlight}, connectTimeout {ConnectTimeout.TotalMilliseconds} ms, reconnect {Reconnect.TotalMilliseconds} ms");
}
