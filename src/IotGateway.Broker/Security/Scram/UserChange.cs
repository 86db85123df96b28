namespace IotGateway.Broker.Security.Scram;

/// <summary>One credential set or, when null, removed.</summary>
internal sealed record UserChange(ScramMechanism Mechanism, string User, ScramCredential? Credential);
