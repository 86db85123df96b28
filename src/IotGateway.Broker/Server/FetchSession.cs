using System.Runtime.InteropServices;
using IotGateway.Broker.Protocol.Messages;

namespace IotGateway.Broker.Server;

/// <summary>
/// What a client reads, remembered between its fetches (KIP-227), so that requests and answers name only what changed. Partitions that
/// gave records go to the end of the order, so that none starves under the byte limits. Guarded by its own lock; one request at a time
/// gets past <see cref="TryAdvance"/> with a given epoch.
/// </summary>
internal sealed class FetchSession(int id, bool byId)
{
    readonly Lock _lock = new();
    readonly Dictionary<(string, Guid, int), Known> _known = [];
    readonly LinkedList<FetchItem> _order = [];
    volatile int _count;
    int _epoch = 1;

    public int Id => id;

    /// <summary>Whether its topics are named by id (version 13 on); a session keeps to one or the other.</summary>
    public bool ById => byId;

    /// <summary>How many partitions it has.</summary>
    public int Count => _count;

    /// <summary>When it was last used, in the broker's time stamps.</summary>
    public long LastUsed { get; set; }

    /// <summary>Takes the epoch of a request; false when it is not the next one.</summary>
    public bool TryAdvance(int epoch)
    {
        lock (_lock)
        {
            if (epoch != _epoch) return false;
            _epoch = epoch == int.MaxValue ? 1 : epoch + 1;
            return true;
        }
    }

    /// <summary>Adds or changes some partitions and forgets others; returns all, in the order to read them.</summary>
    public List<FetchItem> Update(List<FetchItem> changed, IEnumerable<(string, Guid, int)> forgotten)
    {
        lock (_lock)
        {
            foreach (var item in changed)
            {
                ref var known = ref CollectionsMarshal.GetValueRefOrAddDefault(_known, Key(item), out var exists);
                if (exists) known!.Place.Value = item;
                else known = new(_order.AddLast(item));
            }
            foreach (var key in forgotten)
                if (_known.Remove(key, out var gone)) _order.Remove(gone.Place);
            _count = _known.Count;
            return [.. _order];
        }
    }

    /// <summary>Whether the client has to be told of this; remembers that it was.</summary>
    public bool Tells(FetchItem item, FetchResponse.PartitionData answer, bool always)
    {
        lock (_lock)
        {
            if (!_known.TryGetValue(Key(item), out var known)) return true;
            var records = answer.Records is { Length: > 0 };
            var tells = always || records || answer.ErrorCode != 0 || answer.DivergingEpoch is not null
                || answer.HighWatermark != known.HighWatermark || answer.LogStartOffset != known.LogStart || answer.LastStableOffset != known.LastStable;
            // After an error the next good answer is news again.
            (known.HighWatermark, known.LogStart, known.LastStable) = answer.ErrorCode != 0 ? (-1, -1, -1)
                : (answer.HighWatermark, answer.LogStartOffset, answer.LastStableOffset);
            if (records)
            {
                _order.Remove(known.Place);
                _order.AddLast(known.Place);
            }
            return tells;
        }
    }

    static (string, Guid, int) Key(FetchItem item) => (item.Name, item.TopicId, item.Index);

    sealed class Known(LinkedListNode<FetchItem> place)
    {
        public LinkedListNode<FetchItem> Place => place;

        public long HighWatermark { get; set; } = -1;

        public long LogStart { get; set; } = -1;

        public long LastStable { get; set; } = -1;
    }
}
