namespace IotGateway.Broker;

/// <summary>Says which topics are the gateway's own. Called on any thread; must be quick.</summary>
public interface ITopicGuard
{
    /// <summary>Whether clients may only read the topic: producing, creating, deleting it or its records is refused.</summary>
    bool IsReadOnly(string topic);

    /// <summary>Whether clients may write the topic but neither create nor delete it nor its records.</summary>
    bool IsPermanent(string topic);

    /// <summary>Whether the producer's principal is kept beside the records of the topic.</summary>
    bool KeepsPrincipal(string topic);
}
