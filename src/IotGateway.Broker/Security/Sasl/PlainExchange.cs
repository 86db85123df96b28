using System.Text;
using IotGateway.Broker.Security.Scram;

namespace IotGateway.Broker.Security.Sasl;

/// <summary>
/// PLAIN (RFC 4616): the password is checked against the user's SCRAM credential, so that none is kept. The work for an unknown user
/// is the same. Used once.
/// </summary>
/// <param name="users">Whose credentials.</param>
/// <param name="work">Lets only so many passwords be worked on at a time: each costs milliseconds of a processor.</param>
/// <param name="attempt">Learns the user's name.</param>
internal sealed class PlainExchange(UserStore users, SemaphoreSlim work, Attempt attempt) : ISaslExchange
{
    public const string Name = "PLAIN";

    static readonly UTF8Encoding Strict = new(false, true);

    public async ValueTask<SaslStep> NextAsync(ReadOnlyMemory<byte> token, CancellationToken ct)
    {
        string[] parts;
        try
        {
            parts = Strict.GetString(token.Span).Split('\0');
        }
        catch (DecoderFallbackException)
        {
            return SaslStep.Failed("The message is not UTF-8.");
        }
        if (parts is not [var authzid, { Length: > 0 } user, { Length: > 0 } password]) return SaslStep.Failed("User or password is missing.");
        if (authzid.Length > 0 && authzid != user) return SaslStep.Failed("To act for another user is not possible.");
        if (!attempt.Claim(user)) return SaslStep.Failed(Attempt.TooMany);
        await work.WaitAsync(ct);
        try
        {
            var kept = users.Of(user);
            var credential = kept.Count > 0 ? kept[0] : users.Unknown(ScramMechanism.Sha256, user);
            return credential.Fits(password) & kept.Count > 0 ? SaslStep.Done(user, []) : SaslStep.Failed("The user is unknown or the password is wrong.");
        }
        finally
        {
            work.Release();
        }
    }
}
