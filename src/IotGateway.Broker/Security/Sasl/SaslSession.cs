using System.Net;
using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Server;

namespace IotGateway.Broker.Security.Sasl;

/// <summary>
/// One connection's way to a principal, and to its renewal (KIP-368): handshake, exchange, done. Invariants: until done, nothing but
/// what <see cref="SaslState"/> says is taken; a failure ends the connection after its answer; renewing keeps mechanism and principal
/// or ends the connection; a session past its lifetime can only be renewed. Used by one connection, one request at a time.
/// </summary>
internal sealed class SaslSession(ListenerSasl options, Authenticator shared, Connection connection, TimeSpan failureDelay)
{
    /// <summary>The same for every reason, so that it does not tell which users there are.</summary>
    const string WrongCredentials = "Authentication failed: user or password is wrong, or the token is not accepted.";

    /// <summary>Kafka's KafkaChannel: a session may be renewed once a second.</summary>
    static readonly TimeSpan LeastSession = TimeSpan.FromSeconds(1);

    Attempt? _attempt;
    ISaslExchange? _exchange;
    string _mechanism = "";
    string? _refusal;
    long _began;
    long? _done;
    TimeSpan? _lifetime;

    /// <summary>Who it is; null before the first exchange is done.</summary>
    public Principal? Principal { get; private set; }

    public SaslState State { get; private set; }

    /// <summary>Whether a request may be worked on now.</summary>
    /// <exception cref="ProtocolException">It may not; the connection is to be closed, as Kafka does.</exception>
    public void Check(ApiKey key)
    {
        var allowed = State switch
        {
            SaslState.Handshake => key is ApiKey.ApiVersions or ApiKey.SaslHandshake,
            SaslState.Token => key == ApiKey.SaslAuthenticate,
            SaslState.Done => true,
            _ => false,
        };
        if (!allowed) throw new ProtocolException($"It asks for {key} before it has authenticated. Set the client's security.protocol, sasl.mechanism and user.");
        if (key != ApiKey.SaslHandshake && State == SaslState.Done && _lifetime is { } lifetime && shared.Time.GetElapsedTime(_done!.Value) > lifetime)
            throw new ProtocolException("Its session has expired and was not renewed.");
    }

    public SaslHandshakeResponse Handshake(string mechanism, short version)
    {
        if (State == SaslState.Done && !Renews()) return new() { ErrorCode = (short)KafkaError.IllegalSaslState };
        var response = new SaslHandshakeResponse { Mechanisms = [.. options.Mechanisms] };
        if (!options.Mechanisms.Contains(mechanism))
        {
            response.ErrorCode = (short)KafkaError.UnsupportedSaslMechanism;
            Fail("none", $"It asks for a mechanism that is not offered here; there are {string.Join(", ", options.Mechanisms)}.");
            return response;
        }
        if (Principal is not null && version == 0) throw new ProtocolException("It renews its session by bare frames.");
        if (Principal is not null && mechanism != _mechanism) _refusal = "A session is renewed by the mechanism it began with.";
        _mechanism = mechanism;
        _attempt = shared.Attempt(connection.Address);
        _exchange = shared.Exchange(mechanism, _attempt, connection.Listener.Tokens);
        State = version == 0 ? SaslState.BareToken : SaslState.Token;
        return response;
    }

    public async ValueTask<SaslAuthenticateResponse> AuthenticateAsync(ReadOnlyMemory<byte> token, CancellationToken ct)
    {
        if (State != SaslState.Token) return new() { ErrorCode = (short)KafkaError.IllegalSaslState, ErrorMessage = "There is no authentication under way." };
        var step = await NextAsync(token, ct);
        if (step.Failure is { } failure)
            return new() { ErrorCode = (short)KafkaError.SaslAuthenticationFailed, ErrorMessage = failure == Attempt.TooMany ? failure : WrongCredentials };
        return new() { ErrorMessage = null, AuthBytes = step.Token, SessionLifetimeMs = State == SaslState.Done ? (long)(_lifetime?.TotalMilliseconds ?? 0) : 0 };
    }

    /// <summary>The exchange without Kafka's frames around its messages (handshake version 0). A failure is not answered.</summary>
    public async Task<KafkaWriter?> BareAsync(ReadOnlyMemory<byte> token)
    {
        var step = await NextAsync(token, connection.Closed);
        if (step.Failure is not null) return null;
        var writer = new KafkaWriter();
        writer.WriteBytes(step.Token, false, false); // a length of four bytes, as a frame has
        return writer;
    }

    async ValueTask<SaslStep> NextAsync(ReadOnlyMemory<byte> token, CancellationToken ct)
    {
        var step = !_attempt!.Allowed ? SaslStep.Failed(Attempt.TooMany)
            : _refusal is not null ? SaslStep.Failed(_refusal)
            : await _exchange!.NextAsync(token, ct);
        if (step.User is { } user && Principal is not null && Principal.Name != user) step = SaslStep.Failed("A session is renewed by the user it began with.");
        if (step.Failure is { } failure)
        {
            if (failure != Attempt.TooMany) _attempt.Failed();
            Fail(_mechanism, failure);
            // Kafka's connection.failed.authentication.delay.ms: a client in a loop is slowed down, the connection stays unread meanwhile.
            await Task.Delay(failureDelay, shared.Time, ct);
        }
        else if (step.User is not null)
        {
            Done(step.User, step.Expires);
        }
        return step;
    }

    void Done(string user, DateTimeOffset? expires)
    {
        _attempt!.Succeeded();
        Principal ??= new Principal("User", user);
        (_exchange, _attempt) = (null, null);
        var left = expires - shared.Time.GetUtcNow();
        _lifetime = left is { } token && (options.MaxSession is not { } most || token < most) ? token : options.MaxSession;
        _done = shared.Time.GetTimestamp();
        State = SaslState.Done;
        shared.Succeeded(connection.Listener.Name, _mechanism);
    }

    void Fail(string mechanism, string why)
    {
        State = SaslState.Failed;
        shared.Failed(connection.Listener.Name, connection.RemoteEndPoint, connection.Host, mechanism, _attempt?.User, why);
        connection.EndAfterAnswer();
    }

    bool Renews()
    {
        if (_began != 0 && shared.Time.GetElapsedTime(_began) < LeastSession) return false;
        _began = shared.Time.GetTimestamp();
        return true;
    }
}
