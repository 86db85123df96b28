namespace IotGateway.Broker;

/// <summary>
/// The gateway's own topics: everything under <c>gateway.</c> is written by the gateway alone, except <c>gateway.commands</c>, which
/// clients write but cannot remove.
/// </summary>
public sealed class InternalTopics : ITopicGuard
{
    const string Prefix = "gateway.";
    const string Commands = "gateway.commands";

    /// <inheritdoc/>
    public bool IsReadOnly(string topic) => topic.StartsWith(Prefix, StringComparison.Ordinal) && topic != Commands;

    /// <inheritdoc/>
    public bool IsPermanent(string topic) => topic == Commands;

    /// <inheritdoc/>
    public bool KeepsPrincipal(string topic) => topic == Commands;
}
