namespace IotGateway.Broker.Groups.Consumer;

/// <summary>A KIP-848 member: what it subscribes to, what it is to have, and what it has. Used inside the group only.</summary>
internal sealed class ConsumerMember(string id)
{
    /// <summary>Epoch of a static member that left for a while (KIP-848, "Static Membership").</summary>
    public const int AwayEpoch = -2;

    public string Id { get; } = id;
    public string? InstanceId { get; set; }
    public string? RackId { get; set; }
    public string ClientId { get; set; } = "";
    public string ClientHost { get; set; } = "";
    public int RebalanceTimeoutMs { get; set; }
    public string? Assignor { get; set; }
    public IReadOnlyList<string> TopicNames { get; set; } = [];
    /// <summary>Null or empty: none.</summary>
    public string? TopicRegex { get; set; }

    public int Epoch { get; set; }
    public int PreviousEpoch { get; set; }
    public ReconcileState State { get; set; }
    /// <summary>What it has, each with the epoch at which it got it.</summary>
    public Dictionary<TopicPartition, int> Assigned { get; set; } = [];
    /// <summary>What it has been told to give up and may still use.</summary>
    public HashSet<TopicPartition> PendingRevocation { get; set; } = [];
    /// <summary>What it is to have.</summary>
    public HashSet<TopicPartition> Target { get; set; } = [];

    /// <summary>Null: it speaks the consumer protocol.</summary>
    public ClassicSide? Classic { get; set; }

    /// <summary>Topics it reads that are there; follows from its subscription.</summary>
    public IReadOnlyList<string> Topics { get; set; } = [];
    public TopicPattern? Pattern { get; set; }
    /// <summary>Which topics its pattern may find: those its client may describe, as of its last heartbeat. Null: all.</summary>
    public Func<string, bool>? Sees { get; set; }

    public long SessionDeadline { get; set; }
    /// <summary>When what it must give up has to be given up.</summary>
    public long RevocationDeadline { get; set; } = long.MaxValue;
}

/// <summary>How far a member is on the way to its target.</summary>
internal enum ReconcileState : byte
{
    /// <summary>Has all of the target of its epoch.</summary>
    Stable,
    /// <summary>Has to give up partitions before it may go on to the next epoch.</summary>
    Revoking,
    /// <summary>Waits for partitions that others have to give up.</summary>
    Waiting,
}
