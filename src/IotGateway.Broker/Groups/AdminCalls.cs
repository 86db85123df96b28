namespace IotGateway.Broker.Groups;

/// <summary>A member in a DescribeGroups response.</summary>
internal readonly record struct DescribedMember(
    string MemberId, string? InstanceId, string ClientId, string ClientHost, ReadOnlyMemory<byte> Metadata, ReadOnlyMemory<byte> Assignment);

/// <summary>A group in a DescribeGroups response (key 15). The error message goes out from version 6 on.</summary>
internal sealed record DescribedGroup
{
    public required string GroupId { get; init; }
    public GroupError Error { get; init; }
    public string? ErrorMessage { get; init; }
    public string State { get; init; } = "";
    public string ProtocolType { get; init; } = "";
    public string Protocol { get; init; } = "";
    public IReadOnlyList<DescribedMember> Members { get; init; } = [];
}

/// <summary>A group in a ListGroups response (key 16). <see cref="Type"/> is <c>classic</c> or <c>consumer</c>.</summary>
internal readonly record struct ListedGroup(string GroupId, string ProtocolType, string State, string Type);

/// <summary>What became of one group to delete (key 42).</summary>
internal readonly record struct DeletedGroup(string GroupId, GroupError Error);
