using Confluent.Kafka;
using IotGateway.Sdk.Data;

namespace IotGateway.Connectors.Kafka.Sink;

/// <summary>
/// One producer's life: the records given to it and not yet settled, in order. Used by the sink's calls, one at a time; reports come in on
/// the library's thread.
/// </summary>
/// <remarks>
/// Within one life the cluster drops what it has already (idempotence), so a life is made to last over outages. It ends when a record
/// fails for another reason than itself: the library then may have delivered later records of the same partition, and only beginning anew at
/// the first unsettled one restores the order. What was on its way at that moment may arrive twice; it never overtakes.
/// </remarks>
sealed class Producing : IDisposable
{
    readonly IProducer<ReadOnlyMemory<byte>?, ReadOnlyMemory<byte>?> _producer;
    readonly Queue<Delivery> _open = new();
    readonly SemaphoreSlim _signal = new(0);
    int _unreported;
    volatile Error? _broken;

    /// <param name="settings">From <see cref="ClientSettings"/>.</param>
    /// <param name="single">Whether each record travels alone, so that a refusal is the record's own.</param>
    /// <param name="connection">Told of errors that concern the connection.</param>
    public Producing(ProducerConfig settings, bool single, Action<Error> connection)
    {
        Single = single;
        _producer = new ProducerBuilder<ReadOnlyMemory<byte>?, ReadOnlyMemory<byte>?>(settings)
            .SetKeySerializer(BytesSerializer.Instance)
            .SetValueSerializer(BytesSerializer.Instance)
            .SetLogHandler((_, _) => { })      // everything that matters also comes as an error
            .SetErrorHandler((_, error) =>
            {
                if (error.IsFatal) Break(error);
                connection(error);
            })
            .Build();
    }

    public Handle Handle => _producer.Handle;

    public bool Single { get; }

    /// <summary>Why this life is over, or null.</summary>
    public Error? Broken => _broken;

    /// <summary>Records given and not settled.</summary>
    public int OpenCount => _open.Count;

    /// <summary>Reports not yet in.</summary>
    public int Unreported => Volatile.Read(ref _unreported);

    /// <summary>Whether the open records are those of the batch from <paramref name="from"/> on.</summary>
    public bool Matches(IReadOnlyList<SinkRecord> batch, int from)
    {
        var i = from;
        foreach (var delivery in _open)
        {
            if (i == batch.Count) return true;
            if (!delivery.Is(batch[i++])) return false;
        }
        return true;
    }

    /// <summary>Gives a record to the library. False: its queue is full.</summary>
    public bool TryProduce(SinkRecord record, TopicPartition target)
    {
        var delivery = new Delivery(record, this);
        var message = new Message<ReadOnlyMemory<byte>?, ReadOnlyMemory<byte>?>
        {
            Key = record.Key,
            Value = record.Value,
            Timestamp = record.Timestamp < 0 ? Timestamp.Default : new Timestamp(record.Timestamp, TimestampType.CreateTime),
            Headers = HeadersOf(record),
        };
        Interlocked.Increment(ref _unreported);
        try
        {
            _producer.Produce(target, message, delivery.Report);
        }
        catch (ProduceException<ReadOnlyMemory<byte>?, ReadOnlyMemory<byte>?> e)
        {
            Interlocked.Decrement(ref _unreported);
            if (e.Error.Code == ErrorCode.Local_QueueFull) return false;
            Settle(delivery, e.Error, alone: true);
        }
        _open.Enqueue(delivery);
        return true;
    }

    /// <summary>Adds a record that is refused without being sent.</summary>
    public void Refuse(SinkRecord record, string reason)
    {
        var delivery = new Delivery(record, this);
        delivery.Complete(DeliveryState.Refused, new Error(ErrorCode.Local_InvalidArg, reason));
        _open.Enqueue(delivery);
    }

    /// <summary>Waits until all reports are in, the life is over, or <paramref name="ct"/>.</summary>
    public async Task WaitAsync(CancellationToken ct)
    {
        while (Unreported > 0 && _broken is null)
            await _signal.WaitAsync(ct).ConfigureAwait(false);
    }

    /// <summary>Takes the settled records off the front.</summary>
    public IEnumerable<Delivery> TakeSettled()
    {
        while (_open.TryPeek(out var first) && first.IsSettled) yield return _open.Dequeue();
    }

    /// <summary>The first record that failed, or null.</summary>
    public Delivery? FirstFailed => _open.FirstOrDefault(d => d.State == DeliveryState.Failed);

    /// <summary>On the library's thread.</summary>
    internal void Completed(Delivery delivery, Error? error)
    {
        Settle(delivery, error, Single);
        if (Interlocked.Decrement(ref _unreported) == 0) _signal.Release();
    }

    /// <summary>Blocks until the library's threads have ended; what was not delivered is dropped.</summary>
    public void Dispose()
    {
        _producer.Dispose();
        _signal.Dispose();
    }

    void Settle(Delivery delivery, Error? error, bool alone)
    {
        if (error is null) delivery.Complete(DeliveryState.Delivered, null);
        else if (alone && Verdict.IsOfRecord(error.Code)) delivery.Complete(DeliveryState.Refused, error);
        else
        {
            delivery.Complete(DeliveryState.Failed, error);
            Break(error);
        }
    }

    void Break(Error error)
    {
        _broken ??= error;
        _signal.Release();
    }

    static Headers? HeadersOf(SinkRecord record)
    {
        if (record.Headers.Count == 0) return null;
        var headers = new Headers();
        foreach (var header in record.Headers) headers.Add(header.Name, header.Value is { } value ? value.ToArray() : null);
        return headers;
    }
}
