using IotGateway.Log.Bytes;
using IotGateway.Log.Records;
using IotGateway.Log.Transactions;

namespace IotGateway.Log.Commit;

/// <summary>
/// What idempotent producers have appended to a partition: of each producer id its epoch, its last five batches (Kafka's own limit, for five
/// requests may be in flight) and where its open transaction begins. Owned by the committer.
/// <para>
/// Sequence numbers of aborted records may come again in the same epoch, for other records: librdkafka gives out anew those of records it was not
/// acknowledged before it aborted (docs/decisions/0006). So a batch that begins where an aborted one began is a new one, until the producer has gone on.
/// </para>
/// </summary>
sealed class ProducerStates
{
    const int Kept = 5;

    /// <summary>How long a producer is remembered after its last batch: <c>producer.id.expiration.ms</c>.</summary>
    public const long ExpiryMs = 24L * 3600 * 1000;

    readonly Dictionary<long, Producer> _producers = [];

    /// <summary>
    /// Whether the batch may be appended; for a duplicate, the offsets it has got already. With <paramref name="newEpoch"/> a producer that is not known
    /// begins with sequence 0: what came before is on another connection, or was refused, and nothing may get ahead of it.
    /// </summary>
    public AppendError Check(in RecordBatch batch, bool newEpoch, out long baseOffset)
    {
        baseOffset = -1;
        if (batch.ProducerId < 0) return AppendError.None;
        if (!_producers.TryGetValue(batch.ProducerId, out var producer)) return newEpoch && batch.BaseSequence != 0 ? AppendError.OutOfOrderSequence : AppendError.None;
        if (batch.ProducerEpoch < producer.Epoch) return AppendError.InvalidProducerEpoch;
        if (producer.OpenSince >= 0 && !batch.IsTransactional) return AppendError.InvalidTransactionState;
        // A marker may have brought a new epoch, in which nothing was written yet.
        if (batch.ProducerEpoch > producer.Epoch || producer.Batches.Count == 0)
            return batch.BaseSequence == 0 ? AppendError.None : AppendError.OutOfOrderSequence;
        foreach (var old in producer.Batches)
        {
            if (old.FirstSequence != batch.BaseSequence) continue;
            if (old.Aborted) return AppendError.None;
            if (old.LastSequence != batch.LastSequence) continue;
            baseOffset = old.BaseOffset;
            return AppendError.DuplicateSequence;
        }
        var expected = (int)(((long)producer.Batches[^1].LastSequence + 1) & int.MaxValue);
        return batch.BaseSequence == expected ? AppendError.None : AppendError.OutOfOrderSequence;
    }

    public void Appended(in RecordBatch batch, long baseOffset, long time)
    {
        if (batch.ProducerId < 0) return;
        if (!_producers.TryGetValue(batch.ProducerId, out var producer)) _producers.Add(batch.ProducerId, producer = new());
        if (producer.Epoch != batch.ProducerEpoch) producer.Batches.Clear();
        producer.Epoch = batch.ProducerEpoch;
        producer.LastTime = time;
        if (batch.IsControl)
        {
            if (producer.OpenSince >= 0 && !Marker.Commits(batch)) producer.Abort();
            (producer.OpenSince, producer.CoordinatorEpoch) = (-1, Marker.CoordinatorEpoch);
            return;
        }
        producer.Batches.RemoveAll(b => b.Aborted);
        if (batch.IsTransactional && producer.OpenSince < 0) producer.OpenSince = baseOffset;
        if (producer.Batches.Count == Kept) producer.Batches.RemoveAt(0);
        producer.Batches.Add(new(batch.BaseSequence, batch.LastSequence, baseOffset));
    }

    /// <summary>Whether a marker of that epoch is to be written: not when the producer has moved on.</summary>
    public bool TakesMarker(long producerId, short epoch) => !_producers.TryGetValue(producerId, out var producer) || epoch >= producer.Epoch;

    /// <summary>All producers, as they are now.</summary>
    public IReadOnlyList<ProducerSnapshot> Snapshot()
        => _producers.Count == 0 ? [] : [.. _producers.Select(p => new ProducerSnapshot(p.Key, p.Value.Epoch, p.Value.Batches.Count == 0 ? -1 : p.Value.Batches[^1].LastSequence,
            p.Value.LastTime, p.Value.CoordinatorEpoch, p.Value.OpenSince))];

    /// <summary>Forgets producers not heard of since (<c>producer.id.expiration.ms</c>), but none with a transaction open.</summary>
    public void ForgetBefore(long time)
    {
        foreach (var (id, producer) in _producers)
            if (producer.LastTime < time && producer.OpenSince < 0) _producers.Remove(id);
    }

    public void Write(ByteWriter to)
    {
        to.Int(_producers.Count);
        foreach (var (id, producer) in _producers)
        {
            to.Long(id);
            to.Int(producer.Epoch);
            to.Long(producer.LastTime);
            to.Int(producer.CoordinatorEpoch);
            to.Long(producer.OpenSince);
            to.Int(producer.Batches.Count);
            foreach (var batch in producer.Batches)
            {
                to.Int(batch.Aborted ? ~batch.FirstSequence : batch.FirstSequence); // negative: nothing an older version takes for a duplicate
                to.Int(batch.LastSequence);
                to.Long(batch.BaseOffset);
            }
        }
    }

    public void Read(ref ByteReader from)
    {
        for (var left = from.Count(36); left > 0; left--)
        {
            var id = from.Long();
            var producer = new Producer { Epoch = (short)from.Int(), LastTime = from.Long(), CoordinatorEpoch = from.Int(), OpenSince = from.Long() };
            for (var batches = from.Count(16); batches > 0; batches--)
            {
                var (first, last, offset) = (from.Int(), from.Int(), from.Long());
                producer.Batches.Add(new(first < 0 ? ~first : first, last, offset, Aborted: first < 0));
            }
            _producers[id] = producer;
        }
    }

    sealed class Producer
    {
        public short Epoch { get; set; } = -1;
        public long LastTime { get; set; }
        public int CoordinatorEpoch { get; set; } = -1;
        public long OpenSince { get; set; } = -1;
        public List<PastBatch> Batches { get; } = new(Kept);

        /// <summary>Marks the batches of the open transaction.</summary>
        public void Abort()
        {
            for (var i = 0; i < Batches.Count; i++)
                if (Batches[i].BaseOffset >= OpenSince) Batches[i] = Batches[i] with { Aborted = true };
        }
    }

    readonly record struct PastBatch(int FirstSequence, int LastSequence, long BaseOffset, bool Aborted = false);
}
