using Confluent.Kafka;
using IotGateway.Sdk.Data;

namespace IotGateway.Connectors.Kafka.Sink;

/// <summary>One record on its way: which it is, and what became of it. Completed on the client library's thread, read on the sink's.</summary>
sealed class Delivery(SinkRecord record, Producing owner)
{
    volatile DeliveryState _state;

    public SinkRecord Record => record;

    public DeliveryState State => _state;

    /// <summary>Why it failed or was refused.</summary>
    public Error? Error { get; private set; }

    /// <summary>Whether nothing more is to be done for it.</summary>
    public bool IsSettled => _state is DeliveryState.Delivered or DeliveryState.Refused;

    /// <summary>Whether it is the record given.</summary>
    public bool Is(SinkRecord other) => record.Offset == other.Offset && record.Partition == other.Partition && record.Topic == other.Topic;

    /// <summary>The library's report.</summary>
    public void Report(DeliveryReport<ReadOnlyMemory<byte>?, ReadOnlyMemory<byte>?> report)
        => owner.Completed(this, report.Error.IsError ? report.Error : null);

    /// <summary>Sets the outcome.</summary>
    public void Complete(DeliveryState state, Error? error)
    {
        Error = error;
        _state = state;
    }
}

/// <summary>What became of a record.</summary>
enum DeliveryState
{
    /// <summary>On its way.</summary>
    Open,

    /// <summary>In the target's log.</summary>
    Delivered,

    /// <summary>Refused for good because of what it is.</summary>
    Refused,

    /// <summary>Not delivered for a reason that lies outside of it: comes again.</summary>
    Failed,
}
