namespace IotGateway.Sdk;

/// <summary>Why a connector is opened.</summary>
public enum OpenMode
{
    /// <summary>Normal running, with durable sessions and state.</summary>
    Run,

    /// <summary>A test, read or browse by hand: own client id, clean session, no durable state, nothing acknowledged.</summary>
    Probe,
}
