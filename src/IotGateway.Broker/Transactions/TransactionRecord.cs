using System.Text;
using IotGateway.Broker.Groups.Offsets;
using IotGateway.Broker.Groups.Storage;

namespace IotGateway.Broker.Transactions;

/// <summary>
/// Durable form of a transactional id, in the log's table <c>broker.transactions</c>: key = the id (UTF-8), value as <see cref="BinaryWriter"/>
/// writes it: version u8 = 1 · producer id i64 · epoch i16 · timeout i32 · state u8 · start time i64 · last update i64 · predecessor (bool, then id i64,
/// epoch i16, by EndTxn bool) · partitions (count i32; topic id 16 bytes, index i32) · groups (count; text) · pending offsets (count; group, topic,
/// partition i32, offset i64, leader epoch i32, metadata, topic id, commit time i64, -1 when it was overruled).
/// </summary>
internal static class TransactionRecord
{
    public const string Table = "broker.transactions";

    public static byte[] Key(string id) => Encoding.UTF8.GetBytes(id);

    public static byte[] Write(Transaction transaction) => GroupTables.Bytes(writer =>
    {
        writer.Write(GroupTables.Version);
        writer.Write(transaction.ProducerId);
        writer.Write(transaction.Epoch);
        writer.Write(transaction.TimeoutMs);
        writer.Write((byte)transaction.State);
        writer.Write(transaction.StartTime);
        writer.Write(transaction.LastUpdate);
        writer.Write(transaction.Before is not null);
        if (transaction.Before is { } before)
        {
            writer.Write(before.ProducerId);
            writer.Write(before.Epoch);
            writer.Write(before.ByEnd);
        }
        writer.Write(transaction.Partitions.Count);
        foreach (var (topic, index) in transaction.Partitions)
        {
            writer.Write(topic);
            writer.Write(index);
        }
        writer.Write(transaction.Groups.Count);
        foreach (var group in transaction.Groups) writer.Write(group);
        writer.Write(transaction.Offsets.Count);
        foreach (var (group, topic, partition, offset) in transaction.Offsets.Values)
        {
            writer.Write(group);
            writer.Write(topic);
            writer.Write(partition);
            writer.Write(offset.Offset);
            writer.Write(offset.LeaderEpoch);
            writer.Write(offset.Metadata);
            writer.Write(offset.TopicId);
            writer.Write(offset.CommittedAt);
        }
    });

    /// <exception cref="InvalidDataException">A later gateway wrote it.</exception>
    public static Transaction Read(ReadOnlyMemory<byte> key, ReadOnlyMemory<byte> value)
    {
        using var reader = GroupTables.Versioned(value);
        var transaction = new Transaction(Encoding.UTF8.GetString(key.Span))
        {
            ProducerId = reader.ReadInt64(),
            Epoch = reader.ReadInt16(),
            TimeoutMs = reader.ReadInt32(),
            State = (TransactionState)reader.ReadByte(),
            StartTime = reader.ReadInt64(),
            LastUpdate = reader.ReadInt64(),
            Before = reader.ReadBoolean() ? new Predecessor(reader.ReadInt64(), reader.ReadInt16(), reader.ReadBoolean()) : null,
        };
        for (var left = reader.ReadInt32(); left > 0; left--) transaction.Partitions.Add(new(reader.ReadGuid(), reader.ReadInt32()));
        for (var left = reader.ReadInt32(); left > 0; left--) transaction.Groups.Add(reader.ReadString());
        for (var left = reader.ReadInt32(); left > 0; left--)
        {
            var (group, topic, partition) = (reader.ReadString(), reader.ReadString(), reader.ReadInt32());
            var offset = new CommittedOffset(reader.ReadInt64(), reader.ReadInt32(), reader.ReadString(), reader.ReadGuid(), reader.ReadInt64(), ExpiresAt: -1);
            transaction.Offsets[(group, topic, partition)] = new(group, topic, partition, offset);
        }
        return transaction;
    }
}
