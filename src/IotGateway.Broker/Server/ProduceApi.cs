using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security.Acls;
using IotGateway.Broker.Transactions;
using IotGateway.Log;
using Partition = IotGateway.Log.Partition;

namespace IotGateway.Broker.Server;

/// <summary>
/// Appends record batches. All partitions' batches are handed to the log before the first await, so requests of one connection take
/// their places in order of arrival while none waits for another's fsync. Each partition is a unit of its own: one refused batch does
/// not keep the others out. acks=1 is treated as all: there is one replica, and nothing is told before it is durable.
/// </summary>
internal sealed class ProduceApi(Broker broker) : Api<ProduceRequest, ProduceResponse>
{
    const short Abortable = 11, ImplicitAdd = 12; // KIP-890: from here on, records add their partition to the transaction
    static readonly AccessRule WriteId = AccessRule.TransactionalId(AclOperation.Write);
    static readonly AccessRule WriteTopic = AccessRule.Topic(AclOperation.Write);

    public override IReadOnlyList<AccessRule> Access => [WriteId, WriteTopic];

    public override bool Overlaps => true;

    protected override async ValueTask<ProduceResponse?> HandleAsync(ProduceRequest request, RequestContext context)
    {
        var response = new ProduceResponse();
        var commits = new List<(ProduceResponse.PartitionProduceResponse Answer, Partition Partition, Task<IReadOnlyList<AppendResult>> Commit)>();
        var stranger = IsStranger(request, context);
        var parts = new ProducedParts(request, response);
        foreach (var topic in request.TopicData)
        {
            var found = context.Version >= 13 ? broker.Store.Find(topic.TopicId) : broker.Store.Find(topic.Name);
            // A name is checked before it is looked up, an id can only be checked after.
            var allowed = found is null && context.Version >= 13 || context.Allows(WriteTopic, found?.Name ?? topic.Name);
            foreach (var data in topic.PartitionData)
            {
                var part = parts.Of(topic, data.Index);
                var answer = part.Answer;
                if (stranger) answer.ErrorCode = (short)WriteId.Error;
                else if (!allowed) answer.ErrorCode = (short)WriteTopic.Error;
                else if (Refusal(request, found, data, context) is { } error) answer.ErrorCode = error;
                else if (!ProducedBatch.Refuses(data.Records!.Value.Span, context.Version, answer, out var size)) part.Batch = (found!.Partitions[data.Index], data.Records!.Value[..size]);
            }
        }
        foreach (var part in parts.All)
        {
            if (part.Batch is not var (partition, records)) continue;
            var answer = part.Answer.ErrorCode == 0 ? part.Answer : new(); // what else was sent there, and refused, is what is told
            // Not cancellable: the frame's memory stays in use until the log is done with it.
            if (Append(request, partition, records, context, out var refused) is { } commit) commits.Add((answer, partition, commit));
            else answer.ErrorCode = (short)refused;
        }
        foreach (var (answer, partition, commit) in commits) await FinishAsync(answer, partition, commit);
        if (request.Acks != 0) return response;
        var failed = response.Responses.SelectMany(t => t.PartitionResponses).FirstOrDefault(p => p.ErrorCode != 0);
        return failed is null ? null
            : throw new ProtocolException($"Its records without acknowledgement (acks=0) were refused: {(KafkaError)failed.ErrorCode}.");
    }

    /// <summary>Whether it writes in a transaction under an id that is not the client's: then nothing of it is taken.</summary>
    static bool IsStranger(ProduceRequest request, RequestContext context) => request.TransactionalId is { } id && !context.Sees(WriteId, id)
        && request.TopicData.Exists(t => t.PartitionData.Exists(p => p.Records is { } records && ClaimedBatches.Of(records.Span, out _) is not null)) && !context.Allows(WriteId, id);

    short? Refusal(ProduceRequest request, Topic? topic, ProduceRequest.PartitionProduceData data, RequestContext context)
    {
        if (request.Acks is not (-1 or 0 or 1)) return (short)KafkaError.InvalidRequiredAcks;
        if (topic is null) return (short)(context.Version >= 13 ? KafkaError.UnknownTopicId : KafkaError.UnknownTopicOrPartition);
        if (broker.Options.Guard.IsReadOnly(topic.Name)) return (short)KafkaError.TopicAuthorizationFailed;
        if (data.Index < 0 || data.Index >= topic.Partitions.Count) return (short)KafkaError.UnknownTopicOrPartition;
        return data.Records is null or { Length: 0 } ? (short)KafkaError.InvalidRecord : null;
    }

    /// <summary>Null: refused.</summary>
    Task<IReadOnlyList<AppendResult>>? Append(ProduceRequest request, Partition partition, ReadOnlyMemory<byte> records, RequestContext context, out KafkaError refused)
    {
        refused = KafkaError.None;
        var origin = broker.Options.Guard.KeepsPrincipal(partition.Topic.Name) ? context.Principal.ToString() : null;
        if (ClaimedBatches.Of(records.Span, out var mixed) is { } claim)
        {
            refused = request.TransactionalId is null ? KafkaError.TransactionalIdAuthorizationFailed : mixed ? KafkaError.InvalidRecord : KafkaError.None;
            if (refused != KafkaError.None) return null;
            var commit = broker.Transactions.Append(new(request.TransactionalId!, claim.ProducerId, claim.Epoch), context.Version >= ImplicitAdd, partition, records, origin, out refused);
            refused = TransactionErrors.NotAdded(refused, context.Version >= Abortable);
            return commit;
        }
        var unit = new LogUnit();
        unit.AppendReceived(partition, records, origin);
        return Commit(unit);
    }

    Task<IReadOnlyList<AppendResult>> Commit(LogUnit unit)
    {
        try
        {
            return broker.Store.CommitAsync(unit, CancellationToken.None).AsTask();
        }
        catch (IOException failure)
        {
            return Task.FromException<IReadOnlyList<AppendResult>>(failure);
        }
    }

    static async ValueTask FinishAsync(ProduceResponse.PartitionProduceResponse answer, Partition partition, Task<IReadOnlyList<AppendResult>> commit)
    {
        try
        {
            var result = (await commit)[0];
            answer.ErrorCode = (short)Errors.Of(result.Error);
            if (answer.ErrorCode != 0)
            {
                answer.ErrorMessage = result.Problem;
                // Kafka tells it beside all errors but these.
                if (result.Error is not (AppendError.CorruptBatch or AppendError.TooLarge or AppendError.UnknownPartition)) answer.LogStartOffset = partition.LogStart;
                foreach (var (index, reason) in result.Refusals?.List ?? []) answer.RecordErrors.Add(new() { BatchIndex = index, BatchIndexErrorMessage = reason });
                return;
            }
            answer.BaseOffset = result.BaseOffset;
            answer.LogAppendTimeMs = result.LogAppendTime;
            answer.LogStartOffset = partition.LogStart;
        }
        catch (Exception failure) when (Errors.TryMap(failure, out var error))
        {
            answer.ErrorCode = (short)error;
        }
    }
}
