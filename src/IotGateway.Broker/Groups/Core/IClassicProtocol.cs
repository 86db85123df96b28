namespace IotGateway.Broker.Groups.Core;

/// <summary>A group that members by the classic protocol can be in: a classic one, or a consumer group on the way from it. Called inside the group only.</summary>
internal interface IClassicProtocol
{
    /// <summary>Answers when the member's assignment is there and durable.</summary>
    void Sync(SyncGroupCall call, TaskCompletionSource<SyncGroupResult> answer);

    GroupError Heartbeat(HeartbeatCall call);

    LeaveGroupResult Leave(LeaveGroupCall call);
}
