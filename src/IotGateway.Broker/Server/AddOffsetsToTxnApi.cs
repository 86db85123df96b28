using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security.Acls;

namespace IotGateway.Broker.Server;

/// <summary>Adds a group to a producer's transaction, whose offsets it will then commit.</summary>
internal sealed class AddOffsetsToTxnApi(Broker broker) : Api<AddOffsetsToTxnRequest, AddOffsetsToTxnResponse>
{
    static readonly AccessRule Write = AccessRule.TransactionalId(AclOperation.Write);
    static readonly AccessRule Read = AccessRule.Group(AclOperation.Read);

    public override IReadOnlyList<AccessRule> Access => [Write, Read];

    protected override async ValueTask<AddOffsetsToTxnResponse?> HandleAsync(AddOffsetsToTxnRequest request, RequestContext context)
    {
        if (!context.Allows(Write, request.TransactionalId)) return new() { ErrorCode = (short)Write.Error };
        if (!context.Allows(Read, request.GroupId)) return new() { ErrorCode = (short)Read.Error };
        var added = broker.Transactions.AddGroupAsync(new(request.TransactionalId, request.ProducerId, request.ProducerEpoch), request.GroupId);
        return new() { ErrorCode = (short)await TransactionErrors.Of(added, context.Version >= 2) };
    }
}
