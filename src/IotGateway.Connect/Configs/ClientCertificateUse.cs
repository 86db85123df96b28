namespace IotGateway.Connect.Configs;

/// <summary>Whether clients bring certificates.</summary>
public enum ClientCertificateUse
{
    /// <summary>They are not asked.</summary>
    None,
    /// <summary>They may.</summary>
    Want,
    /// <summary>They must.</summary>
    Need,
}
