using IotGateway.Log;

namespace IotGateway.Broker.Transactions;

/// <summary>
/// What is known of a transactional id. Everything but <see cref="Id"/> is touched only under <see cref="Gate"/>, in which decisions are made and
/// handed to the log in one go: so the log has them in the order in which they were made. Memory is ahead of the disk by what is on its way;
/// whoever answers waits for <see cref="Last"/>. Only a failed log loses what is on its way, and then nothing is answered any more.
/// </summary>
internal sealed class Transaction(string id)
{
    public string Id => id;
    public Lock Gate { get; } = new();
    public long ProducerId { get; set; } = -1;
    public short Epoch { get; set; } = -1;
    public int TimeoutMs { get; set; }
    public TransactionState State { get; set; }
    /// <summary>When the first partition or group of the open or else the last one came, by <see cref="LogClock"/>; -1 when its producer had none.</summary>
    public long StartTime { get; set; } = -1;
    public long LastUpdate { get; set; }
    public HashSet<TransactionPartition> Partitions { get; } = [];
    /// <summary>The epoch is known to be the transaction's alone, so that a partition's first record in it has sequence 0. Not kept on disk.</summary>
    public bool OwnEpoch { get; set; }
    public HashSet<string> Groups { get; } = new(StringComparer.Ordinal);
    public Dictionary<(string Group, string Topic, int Partition), PendingOffset> Offsets { get; } = [];

    /// <summary>Id and epoch before the last request that changed them: that request, repeated, gets the same answer.</summary>
    public Predecessor? Before { get; set; }

    /// <summary>Raised by every change.</summary>
    public int Version { get; private set; }
    /// <summary>Version that is on disk.</summary>
    public int Saved { get; set; }
    /// <summary>The last thing on its way to disk.</summary>
    public Task Last { get; set; } = Task.CompletedTask;
    /// <summary>Expired: whoever still holds it must look it up anew.</summary>
    public bool Removed { get; set; }

    /// <summary>The next epoch would be the last: a marker may use it, a producer may not.</summary>
    public bool Exhausted => ExhaustedBy(1);

    /// <summary>Going on by so many epochs would reach the last.</summary>
    public bool ExhaustedBy(int epochs) => Epoch + epochs >= short.MaxValue;

    public void Changed(long now)
    {
        LastUpdate = now;
        Version++;
    }

    /// <summary>Opens it, if it is not.</summary>
    public void Begin(long now)
    {
        if (State == TransactionState.Ongoing) return;
        (State, StartTime, Before) = (TransactionState.Ongoing, now, null);
        Changed(now);
    }

    /// <summary>Goes on under an id and epoch, with nothing open.</summary>
    public void Close(TransactionState state, long producerId, short epoch, long now)
    {
        (State, ProducerId, Epoch) = (state, producerId, epoch);
        Partitions.Clear();
        Groups.Clear();
        Offsets.Clear();
        Changed(now);
    }
}

/// <summary>A partition of a transaction; by id, for a topic made again under the same name is none of its.</summary>
internal readonly record struct TransactionPartition(Guid TopicId, int Index)
{
    public static TransactionPartition Of(Partition partition) => new(partition.Topic.Id, partition.Index);
}

/// <summary>The id and epoch a request came with that gave the present ones.</summary>
internal readonly record struct Predecessor(long ProducerId, short Epoch, bool ByEnd);
