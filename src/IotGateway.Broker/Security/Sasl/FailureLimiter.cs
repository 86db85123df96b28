using System.Net;
using System.Net.Sockets;

namespace IotGateway.Broker.Security.Sasl;

/// <summary>
/// Slows down who guesses: <see cref="PerUser"/> failures a minute of one user from one host, and <see cref="PerHost"/> of all users
/// from one host; further tries within that minute are refused unseen. So a client with an old password does not lock out its
/// neighbours, and 100,000 guesses take more than a day. Hosts of IPv6 count by their /64. Bounded memory; thread-safe.
/// </summary>
internal sealed class FailureLimiter(TimeProvider time)
{
    public const int PerUser = 10, PerHost = 60;
    const int MostEntries = 10_000;
    static readonly TimeSpan Window = TimeSpan.FromMinutes(1);
    readonly Dictionary<(IPAddress Host, string? User), (long Since, int Failures)> _entries = [];
    readonly Lock _lock = new();

    public bool Allows(IPAddress host, string? user)
    {
        host = Network(host);
        lock (_lock) return Count(host, null) < PerHost && (user is null || Count(host, user) < PerUser);
    }

    public void Failed(IPAddress host, string? user)
    {
        host = Network(host);
        lock (_lock)
        {
            Add(host, null);
            if (user is not null) Add(host, user);
        }
    }

    /// <summary>Forgets the user's failures, not the host's: one good account must not pay for guesses at others.</summary>
    public void Succeeded(IPAddress host, string? user)
    {
        if (user is null) return;
        lock (_lock) _entries.Remove((Network(host), user));
    }

    int Count(IPAddress host, string? user)
        => _entries.TryGetValue((host, user), out var entry) && time.GetElapsedTime(entry.Since) < Window ? entry.Failures : 0;

    void Add(IPAddress host, string? user)
    {
        var count = Count(host, user);
        if (count == 0 && _entries.Count >= MostEntries) MakeRoom();
        _entries[(host, user)] = (count == 0 ? time.GetTimestamp() : _entries[(host, user)].Since, count + 1);
    }

    void MakeRoom()
    {
        foreach (var key in _entries.Where(e => time.GetElapsedTime(e.Value.Since) >= Window).Select(e => e.Key).ToList()) _entries.Remove(key);
        // So many hosts at once are an attack this cannot stop; it must not take the memory as well.
        if (_entries.Count >= MostEntries) _entries.Clear();
    }

    static IPAddress Network(IPAddress host)
    {
        if (host.IsIPv4MappedToIPv6) return host.MapToIPv4();
        if (host.AddressFamily != AddressFamily.InterNetworkV6) return host;
        Span<byte> bytes = stackalloc byte[16];
        host.TryWriteBytes(bytes, out _);
        bytes[8..].Clear();
        return new(bytes);
    }
}
