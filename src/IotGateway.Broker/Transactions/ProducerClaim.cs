namespace IotGateway.Broker.Transactions;

/// <summary>Who a request says it is.</summary>
internal readonly record struct ProducerClaim(string TransactionalId, long ProducerId, short Epoch);
