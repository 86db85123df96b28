using IotGateway.Broker.Groups.Offsets;

namespace IotGateway.Broker.Groups.Core;

/// <summary>The members' side of a group: classic or KIP-848. Called inside the group only (see <see cref="Group"/>).</summary>
internal abstract class GroupMembers
{
    /// <summary><c>classic</c> or <c>consumer</c>.</summary>
    public abstract string Type { get; }

    /// <summary>Kafka's name of the state.</summary>
    public abstract string State { get; }

    /// <summary>Empty when none was ever set.</summary>
    public abstract string ProtocolType { get; }

    public abstract bool IsEmpty { get; }

    /// <summary>Empty, and nobody is on the way in: may go when its offsets have expired.</summary>
    public virtual bool IsAbandoned => IsEmpty;

    /// <summary>Acts on the deadlines that have passed and arms the next.</summary>
    public abstract void Tick(long now);

    /// <summary>Whether these offsets may be committed; a commit that may is also a sign of life of its member.</summary>
    public abstract GroupError CheckCommit(OffsetCommitCall call, bool transactional);

    public abstract GroupError CheckFetch(OffsetFetchCall call);

    /// <summary>Whether offsets can be deleted at all.</summary>
    public abstract GroupError CheckOffsetDelete();

    /// <summary>Whether a member consumes the topic.</summary>
    public abstract bool IsSubscribed(string topic);

    /// <summary>Time from which the offset's retention counts; null: it does not expire now.</summary>
    public abstract long? RetentionBase(string topic, CommittedOffset offset);

    /// <summary>Entries that delete what is kept of the members.</summary>
    public abstract IEnumerable<TableWrite> Tombstones();

    /// <summary>Answers everyone who waits; the broker stops.</summary>
    public abstract void Abandon();
}
