using System.Buffers.Binary;
using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;

namespace IotGateway.Broker.Tests.Server;

/// <summary>What Produce allows in each version, with Kafka's error codes.</summary>
public sealed class ProducedBatchTests
{
    const int Attributes = 21;

    [Fact]
    public async Task Takes_one_batch_of_format_2_from_offset_0_only()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateAsync("t");
        await using var client = await broker.ConnectAsync();
        var good = Batches.Of("a", "b");
        Assert.Equal((short)KafkaError.InvalidRecord, (await client.ProduceAsync("t", [.. good, .. good])).ErrorCode);
        var offset = (byte[])good.Clone();
        BinaryPrimitives.WriteInt64BigEndian(offset, 7);
        Assert.Equal((short)KafkaError.InvalidRecord, (await client.ProduceAsync("t", offset)).ErrorCode);
        var old = (byte[])good.Clone();
        old[16] = 1;
        Assert.Equal((short)KafkaError.InvalidRecord, (await client.ProduceAsync("t", old)).ErrorCode);
        // The beginning of a batch is as if it were not there.
        Assert.Equal((short)KafkaError.InvalidRecord, (await client.ProduceAsync("t", good[..^1])).ErrorCode);
        Assert.Equal(0, (await client.ProduceAsync("t", good)).ErrorCode);
        Assert.Equal(2, (await client.ProduceAsync("t", [.. good, .. good[..^1]])).BaseOffset);
        Assert.Equal(4, (await client.ProduceAsync("t", good)).BaseOffset);
    }

    [Fact]
    public async Task Zstandard_needs_version_7()
    {
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateAsync("t");
        await using var client = await broker.ConnectAsync();
        var batch = Batches.Of("a");
        batch[Attributes + 1] = 4;
        // Version 6 says so before it looks into the records; version 7 finds that they are no Zstandard.
        Assert.Equal(KafkaError.UnsupportedCompressionType, await ErrorAsync(client, batch, 6));
        Assert.Equal(KafkaError.CorruptMessage, await ErrorAsync(client, batch, 7));
    }

    [Fact]
    public async Task A_greatest_timestamp_that_the_header_has_wrong_is_put_right()
    {
        await using var broker = await TestBroker.StartAsync();
        var topic = await broker.CreateAsync("t");
        await using var client = await broker.ConnectAsync();
        var batch = Batches.Of("a", "b");
        var right = BinaryPrimitives.ReadInt64BigEndian(batch.AsSpan(35));
        BinaryPrimitives.WriteInt64BigEndian(batch.AsSpan(35), long.MaxValue);
        Assert.Equal(0, (await client.ProduceAsync("t", Batches.Sealed(batch))).ErrorCode);
        var stored = await topic.Partitions[0].ReadAsync(0, 1 << 20, TestContext.Current.CancellationToken);
        Assert.Equal(right, new IotGateway.Log.Records.RecordBatch(stored.Batches.Span).MaxTimestamp);
        Assert.True(new IotGateway.Log.Records.RecordBatch(stored.Batches.Span).ChecksumHolds);
    }

    static async Task<KafkaError> ErrorAsync(RawClient client, byte[] batch, short version)
        => (KafkaError)(await client.CallAsync<ProduceRequest, ProduceResponse>(Requests.Produce("t", Batches.Sealed(batch)), version)).Responses[0].PartitionResponses[0].ErrorCode;
}
