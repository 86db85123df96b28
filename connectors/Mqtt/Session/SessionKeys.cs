using System.Globalization;

namespace IotGateway.Connectors.Mqtt.Session;

/// <summary>Names of the durable state. Their format is kept across versions.</summary>
static class SessionKeys
{
    /// <summary>Whose session the rest belongs to: <c>clientId@address</c>.</summary>
    public const string Identity = "session";

    /// <summary>The filters subscribed to, one per line: <c>options filter</c>.</summary>
    public const string Subscriptions = "subscriptions";

    /// <summary>Written by an orderly close: the last batch whose acknowledgements may have been sent. Gone as soon as a batch follows.</summary>
    public const string Acknowledged = "acknowledged";

    /// <summary>QoS 1 messages of one batch, by its number.</summary>
    public const string Qos1Prefix = "q1/";

    /// <summary>QoS 2 packet identifiers received and not released, each with the hash of its message.</summary>
    public const string Qos2Prefix = "q2/";

    static readonly string?[] Qos2Cache = new string?[65_536];

    public static string Qos1(long batch) => Qos1Prefix + batch.ToString("x16", CultureInfo.InvariantCulture);

    public static long Qos1Batch(string key) => long.Parse(key.AsSpan(Qos1Prefix.Length), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);

    public static string Qos2(ushort id) => Qos2Cache[id] ??= Qos2Prefix + id.ToString(CultureInfo.InvariantCulture);

    public static ushort Qos2Id(string key) => ushort.Parse(key.AsSpan(Qos2Prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture);
}
