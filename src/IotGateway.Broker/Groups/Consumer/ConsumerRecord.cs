using IotGateway.Broker.Groups.Storage;

namespace IotGateway.Broker.Groups.Consumer;

/// <summary>
/// A KIP-848 group as kept. <c>groups.consumer</c>: group → version (1), group epoch, target epoch (i32), count of topics (i32), each
/// with name, id (16 bytes), partitions (i32). <c>groups.consumer.members</c>: group, member id → version (1), instance id, rack id
/// (nullable), client id, client host, rebalance timeout (i32), assignor (nullable), count and names of topics, expression (nullable),
/// epoch, previous epoch (i32), state (u8), assigned partitions (topic id, i32 partition, i32 since epoch), partitions to give up and
/// target (topic id, i32 partition), each list after its count (i32); and only where the member speaks the classic protocol, its session timeout (i32) and
/// protocols (count, name, bytes).
/// </summary>
internal static class ConsumerRecord
{
    public static byte[] WriteHeader(int groupEpoch, int targetEpoch, IReadOnlyCollection<GroupTopic> topics) => GroupTables.Bytes(writer =>
    {
        writer.Write(GroupTables.Version);
        writer.Write(groupEpoch);
        writer.Write(targetEpoch);
        writer.Write(topics.Count);
        foreach (var topic in topics)
        {
            writer.Write(topic.Name);
            writer.Write(topic.Id);
            writer.Write(topic.Partitions);
        }
    });

    public static (int GroupEpoch, int TargetEpoch, List<GroupTopic> Topics) ReadHeader(ReadOnlyMemory<byte> value)
    {
        using var reader = GroupTables.Versioned(value);
        return (reader.ReadInt32(), reader.ReadInt32(), List(reader, r => new GroupTopic(r.ReadString(), r.ReadGuid(), r.ReadInt32())));
    }

    public static byte[] WriteMember(ConsumerMember member) => GroupTables.Bytes(writer =>
    {
        writer.Write(GroupTables.Version);
        writer.WriteNullable(member.InstanceId);
        writer.WriteNullable(member.RackId);
        writer.Write(member.ClientId);
        writer.Write(member.ClientHost);
        writer.Write(member.RebalanceTimeoutMs);
        writer.WriteNullable(member.Assignor);
        writer.Write(member.TopicNames.Count);
        foreach (var name in member.TopicNames) writer.Write(name);
        writer.WriteNullable(member.TopicRegex);
        writer.Write(member.Epoch);
        writer.Write(member.PreviousEpoch);
        writer.Write((byte)member.State);
        writer.Write(member.Assigned.Count);
        foreach (var (item, since) in member.Assigned)
        {
            Write(writer, item);
            writer.Write(since);
        }
        Write(writer, member.PendingRevocation);
        Write(writer, member.Target);
        if (member.Classic is not { } classic) return;
        writer.Write(classic.SessionTimeoutMs);
        writer.Write(classic.Protocols.Count);
        foreach (var protocol in classic.Protocols)
        {
            writer.Write(protocol.Name);
            writer.WriteBlob(protocol.Metadata);
        }
    });

    public static ConsumerMember ReadMember(string id, ReadOnlyMemory<byte> value)
    {
        using var reader = GroupTables.Versioned(value);
        ConsumerMember member = new(id)
        {
            InstanceId = reader.ReadNullable(),
            RackId = reader.ReadNullable(),
            ClientId = reader.ReadString(),
            ClientHost = reader.ReadString(),
            RebalanceTimeoutMs = reader.ReadInt32(),
            Assignor = reader.ReadNullable(),
            TopicNames = List(reader, r => r.ReadString()),
            TopicRegex = reader.ReadNullable(),
            Epoch = reader.ReadInt32(),
            PreviousEpoch = reader.ReadInt32(),
            State = (ReconcileState)reader.ReadByte(),
            Assigned = List(reader, r => (Item: ReadItem(r), Since: r.ReadInt32())).ToDictionary(entry => entry.Item, entry => entry.Since),
            PendingRevocation = [.. List(reader, ReadItem)],
            Target = [.. List(reader, ReadItem)],
        };
        member.Pattern = member.TopicRegex is null ? null : TopicPattern.TryParse(member.TopicRegex, out _);
        if (reader.BaseStream.Position < reader.BaseStream.Length)
            member.Classic = new(reader.ReadInt32(), List(reader, r => new JoinProtocol(r.ReadString(), r.ReadBlob())));
        return member;
    }

    static void Write(BinaryWriter writer, HashSet<TopicPartition> items)
    {
        writer.Write(items.Count);
        foreach (var item in items) Write(writer, item);
    }

    static void Write(BinaryWriter writer, TopicPartition item)
    {
        writer.Write(item.TopicId);
        writer.Write(item.Partition);
    }

    static TopicPartition ReadItem(BinaryReader reader) => new(reader.ReadGuid(), reader.ReadInt32());

    static List<T> List<T>(BinaryReader reader, Func<BinaryReader, T> item)
    {
        List<T> items = [];
        for (var count = reader.ReadInt32(); count > 0; count--) items.Add(item(reader));
        return items;
    }
}
