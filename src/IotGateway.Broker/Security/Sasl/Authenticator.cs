using System.Net;
using IotGateway.Broker.Security.OAuth;
using IotGateway.Broker.Security.Scram;
using IotGateway.Broker.Server;
using Microsoft.Extensions.Logging;

namespace IotGateway.Broker.Security.Sasl;

/// <summary>What the SASL exchanges of all connections share: users, limits, the words of the log. Thread-safe.</summary>
internal sealed partial class Authenticator(UserStore users, BrokerMetrics metrics, LogThrottle throttle, ILogger logger, TimeProvider time) : IDisposable
{
    readonly FailureLimiter _limiter = new(time);
    readonly SemaphoreSlim _work = new(Math.Max(1, Environment.ProcessorCount / 2));

    public UserStore Users => users;

    public TimeProvider Time => time;

    /// <summary>Mechanisms there are.</summary>
    public static IReadOnlyList<string> Mechanisms { get; } = [PlainExchange.Name, ScramMechanism.Sha256.Name, ScramMechanism.Sha512.Name, OAuthBearerExchange.Name];

    public Attempt Attempt(IPAddress host) => new(_limiter, host);

    /// <param name="mechanism">One that the listener offers.</param>
    /// <param name="attempt">For whom.</param>
    /// <param name="tokens">Which tokens the listener accepts; needed for OAUTHBEARER only.</param>
    public ISaslExchange Exchange(string mechanism, Attempt attempt, JwtVerifier? tokens)
        => mechanism == PlainExchange.Name ? new PlainExchange(users, _work, attempt)
            : mechanism == OAuthBearerExchange.Name ? new OAuthBearerExchange(tokens!, attempt)
            : new ScramExchange(ScramMechanism.Find(mechanism) ?? throw new ArgumentException($"There is no SASL mechanism '{mechanism}'.", nameof(mechanism)), users, attempt);

    public void Succeeded(string listener, string mechanism) => metrics.Authenticated(listener, mechanism, "ok");

    public void Failed(string listener, EndPoint? client, string host, string mechanism, string? user, string why)
    {
        metrics.Authenticated(listener, mechanism, "failed");
        metrics.Failed("authentication");
        if (throttle.Allows("authentication " + host, out var withheld)) Log.Refused(logger, client, user ?? "(unnamed)", listener, mechanism, why, withheld);
    }

    public void Dispose() => _work.Dispose();

    static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Kafka client {Client} did not get in as user '{User}' on listener {Listener} by {Mechanism}. {Why} ({Withheld} more of this host since the last such line.)")]
        public static partial void Refused(ILogger logger, EndPoint? client, string user, string listener, string mechanism, string why, int withheld);
    }
}
