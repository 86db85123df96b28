namespace IotGateway.Broker.Server;

/// <summary>What refused requests are told beside the error code.</summary>
internal static class AclErrors
{
    /// <summary>No ACL lets the client do it.</summary>
    public const string NotAllowed = "Not authorized.";

    /// <summary>What all ACL APIs say where there are none.</summary>
    public const string NoAuthorizer = "No authorizer is configured on this broker: set 'broker.acls.enabled' in gateway.json.";
}
