using IotGateway.Broker.Groups;
using IotGateway.Broker.Protocol.Messages;

namespace IotGateway.Broker.Server;

/// <summary>Describes groups of the consumer protocol; classic ones are not found here, so that tools ask DescribeGroups.</summary>
internal sealed class ConsumerGroupDescribeApi(Broker broker) : Api<ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse>
{
    const sbyte ByClassicProtocol = 0, ByConsumerProtocol = 1;

    protected override ValueTask<ConsumerGroupDescribeResponse?> HandleAsync(ConsumerGroupDescribeRequest request, RequestContext context) => new(new ConsumerGroupDescribeResponse
    {
        Groups = [.. broker.Groups.DescribeConsumers(request.GroupIds).Select(g => new ConsumerGroupDescribeResponse.DescribedGroup
        {
            ErrorCode = (short)g.Error,
            ErrorMessage = g.ErrorMessage,
            GroupId = g.GroupId,
            GroupState = g.State,
            GroupEpoch = g.GroupEpoch,
            AssignmentEpoch = g.AssignmentEpoch,
            AssignorName = g.AssignorName,
            AuthorizedOperations = request.IncludeAuthorizedOperations ? Operations.OnGroup : int.MinValue,
            Members = [.. g.Members.Select(Member)],
        })],
    });

    static ConsumerGroupDescribeResponse.Member Member(DescribedConsumer m) => new()
    {
        MemberId = m.MemberId,
        InstanceId = m.InstanceId,
        RackId = m.RackId,
        MemberEpoch = m.MemberEpoch,
        ClientId = m.ClientId,
        ClientHost = m.ClientHost,
        SubscribedTopicNames = [.. m.SubscribedTopicNames],
        SubscribedTopicRegex = m.SubscribedTopicRegex,
        Assignment = Partitions(m.Assignment),
        TargetAssignment = Partitions(m.TargetAssignment),
        MemberType = m.IsClassic ? ByClassicProtocol : ByConsumerProtocol,
    };

    static ConsumerGroupDescribeResponse.Assignment Partitions(IReadOnlyList<NamedTopicPartitions> topics) => new()
    {
        TopicPartitions = [.. topics.Select(t => new ConsumerGroupDescribeResponse.TopicPartitions { TopicId = t.TopicId, TopicName = t.TopicName, Partitions = [.. t.Partitions] })],
    };
}
