using IotGateway.Broker.Protocol.Messages;
using IotGateway.Log;

namespace IotGateway.Broker.Server;

/// <summary>
/// The partitions of one Produce request, each once, as Kafka has them: of one that is named again the last records are written that the request's version
/// allows, and records it does not allow are told as refused, even if others are written. Not thread-safe.
/// </summary>
internal sealed class ProducedParts(ProduceRequest request, ProduceResponse response)
{
    // Not for the request of one partition, of which there are most.
    readonly Dictionary<(string, Guid), (ProduceResponse.TopicProduceResponse Answer, Dictionary<int, ProducedPart> Parts)>? _topics
        = request.TopicData is [{ PartitionData.Count: < 2 }] ? null : [];
    readonly List<ProducedPart> _parts = [];

    /// <summary>In the order in which they were first named.</summary>
    public IReadOnlyList<ProducedPart> All => _parts;

    /// <summary>The one for these data; in the response from the first time on.</summary>
    public ProducedPart Of(ProduceRequest.TopicProduceData topic, int index)
    {
        if (_topics is null) return Add(Add(topic), index);
        if (!_topics.TryGetValue((topic.Name, topic.TopicId), out var known)) _topics.Add((topic.Name, topic.TopicId), known = (Add(topic), []));
        if (!known.Parts.TryGetValue(index, out var part)) known.Parts.Add(index, part = Add(known.Answer, index));
        return part;
    }

    ProduceResponse.TopicProduceResponse Add(ProduceRequest.TopicProduceData topic)
    {
        var answer = new ProduceResponse.TopicProduceResponse { Name = topic.Name, TopicId = topic.TopicId };
        response.Responses.Add(answer);
        return answer;
    }

    ProducedPart Add(ProduceResponse.TopicProduceResponse topic, int index)
    {
        var part = new ProducedPart(new() { Index = index, BaseOffset = -1 });
        topic.PartitionResponses.Add(part.Answer);
        _parts.Add(part);
        return part;
    }
}

/// <summary>One partition of a Produce request.</summary>
internal sealed class ProducedPart(ProduceResponse.PartitionProduceResponse answer)
{
    public ProduceResponse.PartitionProduceResponse Answer => answer;

    /// <summary>What is to be written, and where; null: nothing.</summary>
    public (Partition Partition, ReadOnlyMemory<byte> Records)? Batch { get; set; }
}
