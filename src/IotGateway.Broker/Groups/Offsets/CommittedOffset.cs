namespace IotGateway.Broker.Groups.Offsets;

/// <summary>A committed offset as kept. Times are Unix milliseconds; <see cref="ExpiresAt"/> -1: by the broker's retention.</summary>
internal sealed record CommittedOffset(long Offset, int LeaderEpoch, string Metadata, Guid TopicId, long CommittedAt, long ExpiresAt);
