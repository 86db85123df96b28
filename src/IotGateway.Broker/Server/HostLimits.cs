using System.Globalization;
using System.Net;

namespace IotGateway.Broker.Server;

/// <summary>How many connections one host may have (<c>max.connections.per.ip</c> and its overrides). A change holds for connections that come. Thread-safe.</summary>
internal sealed class HostLimits
{
    /// <summary>Kafka's names.</summary>
    public const string Limit = "max.connections.per.ip", Overrides = "max.connections.per.ip.overrides";

    readonly Lock _lock = new();
    readonly Dictionary<IPAddress, int> _connections = [];
    Dictionary<IPAddress, int> _overrides = [];
    int _limit = int.MaxValue;

    /// <summary>These hold from now on; what is not among them has its default, and so has what an earlier gateway took though it makes no sense.</summary>
    public void Set(IReadOnlyDictionary<string, string> settings)
    {
        lock (_lock)
        {
            _limit = int.TryParse(settings.GetValueOrDefault(Limit), CultureInfo.InvariantCulture, out var limit) ? limit : int.MaxValue;
            var overrides = settings.GetValueOrDefault(Overrides, "");
            _overrides = Problem(overrides) is null ? Parse(overrides).ToDictionary(o => o.Address!, o => o.Most!.Value) : [];
        }
    }

    /// <summary>Counts a connection in; false, with the limit, when its host has enough.</summary>
    public bool TryEnter(IPAddress host, out int most)
    {
        lock (_lock)
        {
            host = Plain(host);
            most = _overrides.GetValueOrDefault(host, _limit);
            var there = _connections.GetValueOrDefault(host);
            if (there >= most) return false;
            _connections[host] = there + 1;
            return true;
        }
    }

    /// <summary>Counts one out that was counted in.</summary>
    public void Leave(IPAddress host)
    {
        lock (_lock)
        {
            host = Plain(host);
            if (_connections[host] == 1) _connections.Remove(host);
            else _connections[host]--;
        }
    }

    /// <summary>What is wrong with a list of overrides, or null.</summary>
    public static string? Problem(string overrides)
    {
        var parsed = Parse(overrides).ToList();
        return parsed.Exists(o => o.Address is null || o.Most is not >= 0) || parsed.DistinctBy(o => o.Address).Count() < parsed.Count
            ? $"Invalid value '{overrides}' for {Overrides}; allowed: ADDRESS:CONNECTIONS,…, each address once."
            : null;
    }

    static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    /// <summary>IPv6 addresses have colons, too: the last one counts.</summary>
    static IEnumerable<(IPAddress? Address, int? Most)> Parse(string overrides)
    {
        foreach (var item in overrides.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var colon = Math.Max(item.LastIndexOf(':'), 0);
            yield return (IPAddress.TryParse(item.AsSpan(0, colon), out var address) ? Plain(address) : null,
                int.TryParse(item.AsSpan(Math.Min(colon + 1, item.Length)), NumberStyles.None, CultureInfo.InvariantCulture, out var most) ? most : null);
        }
    }
}
