namespace IotGateway.Log;

/// <summary>Priority of a topic's data when space has to be made (<c>iotgateway.lane</c>): low goes first, high last.</summary>
public enum TopicLane
{
    /// <summary>Goes first.</summary>
    Low,
    /// <summary>Goes when there is nothing of a low lane left.</summary>
    Normal,
    /// <summary>Goes last.</summary>
    High,
}
