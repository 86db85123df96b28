using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;

namespace IotGateway.Broker.Server;

/// <summary>Deletes topics by name, or from version 6 on also by id.</summary>
internal sealed class DeleteTopicsApi(Broker broker) : Api<DeleteTopicsRequest, DeleteTopicsResponse>
{
    protected override async ValueTask<DeleteTopicsResponse?> HandleAsync(DeleteTopicsRequest request, RequestContext context)
    {
        var asked = context.Version >= 6 ? request.Topics : [.. request.TopicNames.Select(n => new DeleteTopicsRequest.DeleteTopicState { Name = n })];
        var response = new DeleteTopicsResponse();
        foreach (var topic in asked) response.Responses.Add(await DeleteAsync(topic, context.ConnectionClosed));
        return response;
    }

    async ValueTask<DeleteTopicsResponse.DeletableTopicResult> DeleteAsync(DeleteTopicsRequest.DeleteTopicState asked, CancellationToken ct)
    {
        if (asked.Name is not null && asked.TopicId != Guid.Empty)
            return new() { Name = asked.Name, TopicId = asked.TopicId, ErrorCode = (short)KafkaError.InvalidRequest, ErrorMessage = "Give a topic's name or its id, not both." };
        var topic = asked.Name is { } name ? broker.Store.Find(name) : broker.Store.Find(asked.TopicId);
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
                await broker.Store.DeleteTopicAsync(topic.Id, ct);
            }
            catch (Exception failure) when (Errors.TryMap(failure, out var error))
            {
                (result.ErrorCode, result.ErrorMessage) = ((short)error, failure.Message);
            }
        }
        return result;
    }
}
