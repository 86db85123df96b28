using IotGateway.Broker.Groups;
using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security.Acls;

namespace IotGateway.Broker.Server;

/// <summary>Describes groups of the consumer protocol; classic ones are not found here, so that tools ask DescribeGroups.</summary>
internal sealed class ConsumerGroupDescribeApi(Broker broker) : Api<ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse>
{
    const sbyte ByClassicProtocol = 0, ByConsumerProtocol = 1;
    static readonly AccessRule DescribeGroup = AccessRule.Group(AclOperation.Describe);
    static readonly AccessRule DescribeTopic = AccessRule.Topic(AclOperation.Describe);

    public override IReadOnlyList<AccessRule> Access => [DescribeGroup, DescribeTopic];

    protected override ValueTask<ConsumerGroupDescribeResponse?> HandleAsync(ConsumerGroupDescribeRequest request, RequestContext context)
    {
        var allowed = request.GroupIds.Distinct().ToLookup(g => context.Allows(DescribeGroup, g));
        return new(new ConsumerGroupDescribeResponse
        {
            Groups =
            [
                .. allowed[false].Select(g => Refused(g, DescribeGroup, AclErrors.NotAllowed)),
                .. broker.Groups.DescribeConsumers([.. allowed[true]]).Select(g => ShowsHidden(g, context) ? Refused(g.GroupId, DescribeTopic, "The group reads topics that the client may not describe.")
                    : Group(g, request.IncludeAuthorizedOperations && g.Error == GroupError.None ? context.Operations(ResourceType.Group, g.GroupId) : int.MinValue)),
            ],
        });
    }

    /// <summary>Topics that a client may not see are not shown by way of a group either.</summary>
    static bool ShowsHidden(DescribedConsumerGroup group, RequestContext context)
        => group.Members.SelectMany(m => m.Assignment.Concat(m.TargetAssignment)).Select(t => t.TopicName).Distinct().Any(t => !context.Allows(DescribeTopic, t));

    static ConsumerGroupDescribeResponse.DescribedGroup Refused(string id, AccessRule rule, string message)
        => new() { GroupId = id, ErrorCode = (short)rule.Error, ErrorMessage = message };

    static ConsumerGroupDescribeResponse.DescribedGroup Group(DescribedConsumerGroup g, int operations) => new()
    {
        ErrorCode = (short)g.Error,
        ErrorMessage = g.ErrorMessage,
        GroupId = g.GroupId,
        GroupState = g.State,
        GroupEpoch = g.GroupEpoch,
        AssignmentEpoch = g.AssignmentEpoch,
        AssignorName = g.AssignorName,
        AuthorizedOperations = operations,
        Members = [.. g.Members.Select(Member)],
    };

    static ConsumerGroupDescribeResponse.Member Member(DescribedConsumer m) => new()
    {
        MemberId = m.MemberId,
        InstanceId = m.InstanceId,
        RackId = m.RackId,
        MemberEpoch = m.MemberEpoch,
        ClientId = m.ClientId,
        ClientHost = m.ClientHost,
        SubscribedTopicNames = [.. m.SubscribedTopicNames],
        SubscribedTopicRegex = m.SubscribedTopicRegex ?? "",
        Assignment = Partitions(m.Assignment),
        TargetAssignment = Partitions(m.TargetAssignment),
        MemberType = m.IsClassic ? ByClassicProtocol : ByConsumerProtocol,
    };

    static ConsumerGroupDescribeResponse.Assignment Partitions(IReadOnlyList<NamedTopicPartitions> topics) => new()
    {
        TopicPartitions = [.. topics.Select(t => new ConsumerGroupDescribeResponse.TopicPartitions { TopicId = t.TopicId, TopicName = t.TopicName, Partitions = [.. t.Partitions] })],
    };
}
