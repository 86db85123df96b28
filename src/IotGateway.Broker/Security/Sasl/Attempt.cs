using System.Net;

namespace IotGateway.Broker.Security.Sasl;

/// <summary>One try to authenticate: from where, and as whom once that is known. Used by one connection.</summary>
internal sealed class Attempt(FailureLimiter limiter, IPAddress host)
{
    /// <summary>Why a try is refused without a look at what it brings.</summary>
    public const string TooMany = "There were too many failed attempts; the next ones are looked at in a minute.";

    bool _failed;

    /// <summary>Who the client says it is; null before it has.</summary>
    public string? User { get; private set; }

    /// <summary>Whether anything from this host is looked at.</summary>
    public bool Allowed => limiter.Allows(host, null);

    /// <summary>The client names a user; false when that one is not looked at for now, or cannot exist.</summary>
    public bool Claim(string user)
    {
        if (user.Length > Scram.UserStore.LongestName) return false;
        User = user;
        return limiter.Allows(host, user);
    }

    /// <summary>Counts the failure, once.</summary>
    public void Failed()
    {
        if (!_failed) limiter.Failed(host, User);
        _failed = true;
    }

    public void Succeeded() => limiter.Succeeded(host, User);
}
