using IotGateway.Broker.Protocol;

namespace IotGateway.Broker.Transactions;

/// <summary>What InitProducerId and EndTxn answer; id and epoch are -1 on error.</summary>
internal readonly record struct TransactionResult(KafkaError Error, long ProducerId = -1, short Epoch = -1);
