namespace IotGateway.Sdk;

/// <summary>Why a connector is closed. Only <see cref="Remove"/> gives up what the peer keeps for us.</summary>
public enum CloseReason
{
    /// <summary>Something failed; a new instance follows. Remote sessions are kept.</summary>
    Fault,

    /// <summary>Paused by an operator: the session is kept, reading has stopped, commands are refused.</summary>
    Pause,

    /// <summary>The gateway stops. Remote sessions are kept.</summary>
    Stop,

    /// <summary>A new instance with another configuration follows. Remote sessions are kept.</summary>
    Reconfigure,

    /// <summary>The connector was removed for good: sessions and subscriptions at the peer are deleted.</summary>
    Remove,
}
