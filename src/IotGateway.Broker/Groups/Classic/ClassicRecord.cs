using IotGateway.Broker.Groups.Storage;

namespace IotGateway.Broker.Groups.Classic;

/// <summary>
/// A classic group as kept: version (1), state (u8), state since (i64, Unix ms), generation (i32), protocol type, protocol, leader
/// (each nullable), count of members (i32), and per member: id, instance id (nullable), client id, client host, session timeout,
/// rebalance timeout (i32), count of protocols (i32) with name and bytes each, assignment.
/// </summary>
internal sealed record ClassicRecord
{
    public required ClassicState State { get; init; }
    public required long StateSince { get; init; }
    public required int Generation { get; init; }
    public required string? ProtocolType { get; init; }
    public required string? Protocol { get; init; }
    public required string? Leader { get; init; }
    public required IReadOnlyList<ClassicMember> Members { get; init; }

    public static byte[] Write(ClassicRecord record) => GroupTables.Bytes(writer =>
    {
        writer.Write(GroupTables.Version);
        writer.Write((byte)record.State);
        writer.Write(record.StateSince);
        writer.Write(record.Generation);
        writer.WriteNullable(record.ProtocolType);
        writer.WriteNullable(record.Protocol);
        writer.WriteNullable(record.Leader);
        writer.Write(record.Members.Count);
        foreach (var member in record.Members)
        {
            writer.Write(member.Id);
            writer.WriteNullable(member.InstanceId);
            writer.Write(member.ClientId);
            writer.Write(member.ClientHost);
            writer.Write(member.SessionTimeoutMs);
            writer.Write(member.RebalanceTimeoutMs);
            writer.Write(member.Protocols.Count);
            foreach (var protocol in member.Protocols)
            {
                writer.Write(protocol.Name);
                writer.WriteBlob(protocol.Metadata);
            }
            writer.WriteBlob(member.Assignment);
        }
    });

    public static ClassicRecord Read(ReadOnlyMemory<byte> value)
    {
        using var reader = GroupTables.Versioned(value);
        return new()
        {
            State = (ClassicState)reader.ReadByte(),
            StateSince = reader.ReadInt64(),
            Generation = reader.ReadInt32(),
            ProtocolType = reader.ReadNullable(),
            Protocol = reader.ReadNullable(),
            Leader = reader.ReadNullable(),
            Members = ReadMembers(reader),
        };
    }

    static List<ClassicMember> ReadMembers(BinaryReader reader)
    {
        List<ClassicMember> members = [];
        for (var count = reader.ReadInt32(); count > 0; count--)
        {
            members.Add(new(reader.ReadString(), reader.ReadNullable())
            {
                ClientId = reader.ReadString(),
                ClientHost = reader.ReadString(),
                SessionTimeoutMs = reader.ReadInt32(),
                RebalanceTimeoutMs = reader.ReadInt32(),
                Protocols = ReadProtocols(reader),
                Assignment = reader.ReadBlob(),
            });
        }
        return members;
    }

    static List<JoinProtocol> ReadProtocols(BinaryReader reader)
    {
        List<JoinProtocol> protocols = [];
        for (var count = reader.ReadInt32(); count > 0; count--) protocols.Add(new(reader.ReadString(), reader.ReadBlob()));
        return protocols;
    }
}
