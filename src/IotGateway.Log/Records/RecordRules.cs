namespace IotGateway.Log.Records;

/// <summary>What a topic asks of each record a client sends.</summary>
/// <param name="NeedsKeys">It is compacted: a record without a key could never be replaced.</param>
/// <param name="Earliest">Least timestamp.</param>
/// <param name="Latest">Greatest timestamp.</param>
readonly record struct RecordRules(bool NeedsKeys, long Earliest, long Latest)
{
    const long NoTimestamp = -1;

    /// <summary>No demands.</summary>
    public static RecordRules None { get; } = new(false, long.MinValue, long.MaxValue);

    /// <summary>The demands of a topic at a time.</summary>
    public static RecordRules Of(TopicRules rules, long now) => rules.LogAppendTime
        ? None with { NeedsKeys = rules.Compacts }
        : new(rules.Compacts,
            rules.TimestampBeforeMaxMs > now ? long.MinValue : now - rules.TimestampBeforeMaxMs,
            rules.TimestampAfterMaxMs > long.MaxValue - now ? long.MaxValue : now + rules.TimestampAfterMaxMs);

    /// <summary>Whether a record of that time is refused; one without time (-1) is not.</summary>
    public bool OutOfTime(long time) => (time < Earliest || time > Latest) && time != NoTimestamp;
}
