using System.ComponentModel.DataAnnotations;

namespace IotGateway.Connect.Configs;

/// <summary>What makes a listener of the Kafka protocol unsafe or unreachable. Stateless.</summary>
internal static class ListenerChecks
{
    const string Open = "This address can be reached from other machines, and clients would not have to say who they are. Add 'sasl', or 'tls' with \"clientCertificates\": \"need\"; or listen on 127.0.0.1; or set \"insecure\": true.";
    const string Readable = "Passwords and tokens would cross the network readable by everyone. Add 'tls', or offer SCRAM only, or set \"insecure\": true.";
    const string Wildcard = "Listening on all addresses, clients have to be told which one to use.";

    /// <summary>Mechanisms that give the secret itself to whoever listens in.</summary>
    static readonly string[] Bare = ["PLAIN", "OAUTHBEARER"];

    /// <param name="prefix">Where the listener stands: empty, or <c>Listeners[0].</c></param>
    /// <param name="listen">Address listened on.</param>
    /// <param name="advertised">Address told.</param>
    /// <param name="tls">Its TLS.</param>
    /// <param name="sasl">Its SASL.</param>
    /// <param name="insecure">Whether someone has said that he knows.</param>
    public static IEnumerable<ValidationResult> Check(string prefix, string listen, string? advertised, ListenerTlsConfig? tls, SaslConfig? sasl, bool insecure)
    {
        if (!ListenAddressAttribute.IsExposed(listen)) yield break;
        if (advertised is null && ListenAddressAttribute.IsWildcard(listen)) yield return new(Wildcard, [prefix + nameof(ListenerConfig.Advertised)]);
        if (insecure) yield break;
        if (sasl is null && tls is not { ClientCertificates: ClientCertificateUse.Need }) yield return new(Open, [prefix + nameof(ListenerConfig.Listen)]);
        else if (tls is null && sasl is not null && sasl.Mechanisms.Intersect(Bare).Any()) yield return new(Readable, [prefix + nameof(ListenerConfig.Sasl)]);
    }
}
