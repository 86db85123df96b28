namespace IotGateway.Broker;

/// <summary>A user the configuration brings along. A class, not a record: it must never print its password.</summary>
/// <param name="name">As clients log in.</param>
/// <param name="password">Only its SCRAM credentials are kept.</param>
public sealed class BrokerUser(string name, string password)
{
    /// <summary>As clients log in.</summary>
    public string Name => name;

    internal string Password => password;
}
