namespace IotGateway.Broker;

/// <summary>Whether clients bring certificates of their own (<c>ssl.client.auth</c>).</summary>
public enum ClientCertificates
{
    /// <summary>They are not asked for one.</summary>
    None,
    /// <summary>They may; one that is brought must be good.</summary>
    Want,
    /// <summary>They must.</summary>
    Need,
}
