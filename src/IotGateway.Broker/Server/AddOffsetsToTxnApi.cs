using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;

namespace IotGateway.Broker.Server;

/// <summary>Adds a group to a producer's transaction, whose offsets it will then commit.</summary>
internal sealed class AddOffsetsToTxnApi(Broker broker) : Api<AddOffsetsToTxnRequest, AddOffsetsToTxnResponse>
{
    protected override async ValueTask<AddOffsetsToTxnResponse?> HandleAsync(AddOffsetsToTxnRequest request, RequestContext context)
    {
        if (request.GroupId.Length == 0) return new() { ErrorCode = (short)KafkaError.InvalidGroupId };
        var added = broker.Transactions.AddGroupAsync(new(request.TransactionalId, request.ProducerId, request.ProducerEpoch), request.GroupId);
        return new() { ErrorCode = (short)await TransactionErrors.Of(added, context.Version >= 2) };
    }
}
