using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security.Acls;

namespace IotGateway.Broker.Server;

/// <summary>Deletes topics by name, or from version 6 on also by id.</summary>
internal sealed class DeleteTopicsApi(Broker broker) : Api<DeleteTopicsRequest, DeleteTopicsResponse>
{
    static readonly AccessRule DeleteOnCluster = AccessRule.Cluster(AclOperation.Delete);
    static readonly AccessRule DeleteTopic = AccessRule.Topic(AclOperation.Delete);
    static readonly AccessRule DescribeTopic = AccessRule.Topic(AclOperation.Describe);

    public override IReadOnlyList<AccessRule> Access => [DeleteOnCluster, DeleteTopic, DescribeTopic];

    protected override async ValueTask<DeleteTopicsResponse?> HandleAsync(DeleteTopicsRequest request, RequestContext context)
    {
        var asked = context.Version >= 6 ? request.Topics : [.. request.TopicNames.Select(n => new DeleteTopicsRequest.DeleteTopicState { Name = n })];
        var response = new DeleteTopicsResponse();
        // What is named twice is not deleted: which of the answers would be true of it?
        foreach (var same in asked.GroupBy(t => (t.Name, t.TopicId)))
            response.Responses.Add(same.Count() == 1 ? await DeleteAsync(same.First(), context)
                : new() { Name = same.Key.Name, TopicId = same.Key.TopicId, ErrorCode = (short)KafkaError.InvalidRequest, ErrorMessage = "The topic is named more than once in the request." });
        return response;
    }

    async ValueTask<DeleteTopicsResponse.DeletableTopicResult> DeleteAsync(DeleteTopicsRequest.DeleteTopicState asked, RequestContext context)
    {
        if (asked.Name is not null && asked.TopicId != Guid.Empty)
            return new() { Name = asked.Name, TopicId = asked.TopicId, ErrorCode = (short)KafkaError.InvalidRequest, ErrorMessage = "Give a topic's name or its id, not both." };
        var topic = asked.Name is { } name ? broker.Store.Find(name) : broker.Store.Find(asked.TopicId);
        if ((asked.Name ?? topic?.Name) is { } known && !context.Sees(DeleteOnCluster, Acl.Cluster) && !context.Allows(DeleteTopic, known))
        {
            // Neither may the answer name what was asked for by id, nor tell whether there is what was asked for by name.
            var seen = context.Sees(DescribeTopic, known);
            return new() { Name = seen ? known : asked.Name, TopicId = seen && topic is not null ? topic.Id : asked.TopicId, ErrorCode = (short)DeleteTopic.Error, ErrorMessage = AclErrors.NotAllowed };
        }
        var result = new DeleteTopicsResponse.DeletableTopicResult { Name = topic?.Name ?? asked.Name, TopicId = topic?.Id ?? asked.TopicId };
        if (topic is null)
        {
            result.ErrorCode = (short)(asked.Name is null ? KafkaError.UnknownTopicId : KafkaError.UnknownTopicOrPartition);
            result.ErrorMessage = "There is no such topic.";
        }
        else if (broker.Topics.IsProtected(topic.Name))
        {
            result.ErrorCode = (short)KafkaError.TopicAuthorizationFailed;
            result.ErrorMessage = $"Topic '{topic.Name}' is the gateway's own.";
        }
        else
        {
            try
            {
                await broker.Store.DeleteTopicAsync(topic.Id, context.ConnectionClosed);
            }
            catch (Exception failure) when (Errors.TryMap(failure, out var error))
            {
                (result.ErrorCode, result.ErrorMessage) = ((short)error, failure.Message);
            }
        }
        return result;
    }
}
