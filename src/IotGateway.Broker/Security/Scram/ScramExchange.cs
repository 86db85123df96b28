using System.Security.Cryptography;
using System.Text;
using IotGateway.Broker.Security.Sasl;

namespace IotGateway.Broker.Security.Scram;

/// <summary>
/// The server's side of one SCRAM exchange without channel binding (RFC 5802, RFC 7677). An unknown user gets a challenge like any other
/// and fails at the proof. The nonce and the channel-binding header of the client's last message must be those of its first (a broker
/// that does not look lets a captured exchange be played again). Used once, by one connection.
/// </summary>
internal sealed class ScramExchange : ISaslExchange
{
    static readonly UTF8Encoding Strict = new(false, true);
    readonly ScramMechanism _mechanism;
    readonly UserStore _users;
    readonly Attempt _attempt;
    readonly string _serverNonce;
    string? _user, _header, _firstBare, _challenge, _nonce;
    ScramCredential? _credential;
    bool _known;

    public ScramExchange(ScramMechanism mechanism, UserStore users, Attempt attempt)
        : this(mechanism, users, attempt, Convert.ToBase64String(RandomNumberGenerator.GetBytes(24)))
    {
    }

    /// <param name="mechanism">Which hash.</param>
    /// <param name="users">Whose credentials.</param>
    /// <param name="attempt">Learns the user's name.</param>
    /// <param name="serverNonce">Known-answer tests give one.</param>
    internal ScramExchange(ScramMechanism mechanism, UserStore users, Attempt attempt, string serverNonce)
        => (_mechanism, _users, _attempt, _serverNonce) = (mechanism, users, attempt, serverNonce);

    public ValueTask<SaslStep> NextAsync(ReadOnlyMemory<byte> token, CancellationToken ct)
    {
        string text;
        try
        {
            text = Strict.GetString(token.Span);
        }
        catch (DecoderFallbackException)
        {
            return new(SaslStep.Failed("The message is not UTF-8."));
        }
        return new(_challenge is null ? First(text) : Final(text));
    }

    /// <summary>client-first-message: gs2-cbind-flag "," [authzid] "," username "," nonce ["," extensions].</summary>
    SaslStep First(string text)
    {
        var parts = text.Split(',');
        if (parts.Length < 4) return SaslStep.Failed("The first message is no SCRAM.");
        if (parts[0] is not ("n" or "y")) return SaslStep.Failed("Channel binding is asked for, which is not offered.");
        if (parts[2].StartsWith("m=", StringComparison.Ordinal)) return SaslStep.Failed("A mandatory extension is not known.");
        if (Value(parts[2], "n=") is not { } escaped || Unescape(escaped) is not { Length: > 0 } user) return SaslStep.Failed("The first message names no user.");
        if (Value(parts[3], "r=") is not { Length: > 0 } nonce || nonce.Any(c => c is < '!' or > '~')) return SaslStep.Failed("The first message has no nonce.");
        if (parts[1].Length > 0 && (Value(parts[1], "a=") is not { } authzid || Unescape(authzid) != user)) return SaslStep.Failed("To act for another user is not possible.");
        if (parts.Skip(4).Contains("tokenauth=true")) return SaslStep.Failed("There are no delegation tokens here.");
        if (!_attempt.Claim(user)) return SaslStep.Failed(Attempt.TooMany);
        (_user, _header, _nonce) = (user, $"{parts[0]},{parts[1]},", nonce + _serverNonce);
        _firstBare = text[_header.Length..];
        _known = _users.Find(_mechanism, user) is { } found && (_credential = found) is not null;
        _credential ??= _users.Unknown(_mechanism, user);
        _challenge = $"r={_nonce},s={Convert.ToBase64String(_credential.Salt)},i={_credential.Iterations}";
        return SaslStep.Challenge(Encoding.UTF8.GetBytes(_challenge));
    }

    /// <summary>client-final-message: channel-binding "," nonce ["," extensions] "," proof.</summary>
    SaslStep Final(string text)
    {
        var credential = Interlocked.Exchange(ref _credential, null);
        if (credential is null) return SaslStep.Failed("The exchange is over.");
        var parts = text.Split(',');
        if (parts.Length < 3 || Value(parts[^1], "p=") is not { } proof) return SaslStep.Failed("The last message is no SCRAM.");
        if (Value(parts[0], "c=") != Convert.ToBase64String(Encoding.UTF8.GetBytes(_header!))) return SaslStep.Failed("The channel binding is not that of the first message.");
        if (Value(parts[1], "r=") != _nonce) return SaslStep.Failed("The nonce is not that of this exchange.");
        var clientKey = new byte[_mechanism.Size];
        if (!Convert.TryFromBase64String(proof, clientKey, out var length) || length != clientKey.Length) return SaslStep.Failed("The proof is no proof.");
        var message = Encoding.UTF8.GetBytes($"{_firstBare},{_challenge},{text[..text.LastIndexOf(",p=", StringComparison.Ordinal)]}");
        var signature = _mechanism.Hmac(credential.StoredKey, message);
        for (var i = 0; i < clientKey.Length; i++) clientKey[i] ^= signature[i];
        var fits = CryptographicOperations.FixedTimeEquals(_mechanism.Hash(clientKey), credential.StoredKey);
        if (!(fits & _known)) return SaslStep.Failed("The user is unknown or the password is wrong.");
        return SaslStep.Done(_user!, Encoding.ASCII.GetBytes("v=" + Convert.ToBase64String(_mechanism.Hmac(credential.ServerKey, message))));
    }

    static string? Value(string attribute, string name) => attribute.StartsWith(name, StringComparison.Ordinal) ? attribute[name.Length..] : null;

    /// <summary>A saslname: ',' and '=' are written =2C and =3D, and '=' stands for nothing else. Null when it is none.</summary>
    static string? Unescape(string name)
    {
        var plain = name.Replace("=2C", ",", StringComparison.Ordinal).Replace("=3D", "\0", StringComparison.Ordinal);
        return plain.Contains('=', StringComparison.Ordinal) || name.Contains('\0', StringComparison.Ordinal) ? null : plain.Replace('\0', '=');
    }
}
