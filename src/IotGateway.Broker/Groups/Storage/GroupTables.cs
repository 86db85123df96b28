using System.Text;
using IotGateway.Broker.Groups.Offsets;

namespace IotGateway.Broker.Groups.Storage;

/// <summary>
/// The durable tables of groups. Keys are strings and numbers as <see cref="BinaryWriter"/> writes them (little-endian, strings as
/// UTF-8 after a 7-bit-encoded length); every value starts with a version byte, 1.
/// <list type="bullet">
/// <item><c>groups.offsets</c>: group, topic, partition (i32) → offset (i64), leader epoch (i32), metadata, topic id (16 bytes),
/// commit time (i64), expiry time or -1 (i64).</item>
/// <item><c>groups.classic</c>: group → see <see cref="Classic.ClassicRecord"/>.</item>
/// <item><c>groups.consumer</c> and <c>groups.consumer.members</c>: see <see cref="Consumer.ConsumerRecord"/>.</item>
/// </list>
/// </summary>
internal static class GroupTables
{
    public const string Offsets = "groups.offsets";
    public const string Classic = "groups.classic";
    public const string Consumer = "groups.consumer";
    public const string ConsumerMembers = "groups.consumer.members";
    public const byte Version = 1;

    public static TableWrite PutOffset(string group, string topic, int partition, CommittedOffset offset)
        => new(Offsets, OffsetKey(group, topic, partition), Bytes(writer =>
        {
            writer.Write(Version);
            writer.Write(offset.Offset);
            writer.Write(offset.LeaderEpoch);
            writer.Write(offset.Metadata);
            writer.Write(offset.TopicId);
            writer.Write(offset.CommittedAt);
            writer.Write(offset.ExpiresAt);
        }));

    public static TableWrite DeleteOffset(string group, string topic, int partition)
        => new(Offsets, OffsetKey(group, topic, partition), null);

    public static (string Group, string Topic, int Partition, CommittedOffset Offset) ReadOffset(
        ReadOnlyMemory<byte> key, ReadOnlyMemory<byte> value)
    {
        using var k = Reader(key);
        using var v = Versioned(value);
        return (k.ReadString(), k.ReadString(), k.ReadInt32(),
            new(v.ReadInt64(), v.ReadInt32(), v.ReadString(), v.ReadGuid(), v.ReadInt64(), v.ReadInt64()));
    }

    public static byte[] Key(params ReadOnlySpan<string> parts)
    {
        using var stream = new MemoryStream(64);
        using var writer = new BinaryWriter(stream, Encoding.UTF8);
        foreach (var part in parts) writer.Write(part);
        writer.Flush();
        return stream.ToArray();
    }

    public static byte[] Bytes(Action<BinaryWriter> write)
    {
        using var stream = new MemoryStream(128);
        using var writer = new BinaryWriter(stream, Encoding.UTF8);
        write(writer);
        writer.Flush();
        return stream.ToArray();
    }

    public static BinaryReader Reader(ReadOnlyMemory<byte> bytes) => new(new MemoryStream(bytes.ToArray()), Encoding.UTF8);

    /// <summary>A reader behind the version byte.</summary>
    /// <exception cref="InvalidDataException">Written by a later gateway.</exception>
    public static BinaryReader Versioned(ReadOnlyMemory<byte> value)
    {
        var reader = Reader(value);
        var version = reader.ReadByte();
        return version == Version
            ? reader
            : throw new InvalidDataException($"Consumer groups are kept in format {version}; this gateway reads {Version}. Run the newer gateway.");
    }

    static byte[] OffsetKey(string group, string topic, int partition) => Bytes(writer =>
    {
        writer.Write(group);
        writer.Write(topic);
        writer.Write(partition);
    });
}

/// <summary>What the tables need beyond the framework's reader and writer.</summary>
internal static class TableFields
{
    extension(BinaryWriter writer)
    {
        public void Write(Guid value) => writer.Write(value.ToByteArray());

        public void WriteNullable(string? value)
        {
            writer.Write(value is not null);
            if (value is not null) writer.Write(value);
        }

        public void WriteBlob(ReadOnlyMemory<byte> value)
        {
            writer.Write(value.Length);
            writer.Write(value.Span);
        }
    }

    extension(BinaryReader reader)
    {
        public Guid ReadGuid() => new(reader.ReadBytes(16));

        public string? ReadNullable() => reader.ReadBoolean() ? reader.ReadString() : null;

        public ReadOnlyMemory<byte> ReadBlob() => reader.ReadBytes(reader.ReadInt32());
    }
}
