using System.Globalization;
using System.Text;
using IotGateway.Connectors.Kafka;
using IotGateway.Connectors.Kafka.Config;
using IotGateway.Sdk;
using IotGateway.Sdk.Data;
using IotGateway.Testing;

namespace Kafka.Tests;

/// <summary>Feeds a sink as the runtime does: batches in order, the unsettled rest again, a new instance after a fault.</summary>
sealed class SinkRig(KafkaConfig config) : IAsyncDisposable
{
    public FakeContext Context { get; } = new(new DurableStore(), "cloud");
    public ISink? Sink { get; private set; }
    public List<(long Offset, string Reason)> Rejected { get; } = [];
    public int Faults { get; private set; }

    /// <summary>Called before each write with how many records are settled.</summary>
    public Func<int, Task> Between { get; set; } = _ => Task.CompletedTask;

    public async Task<ISink> OpenAsync(CancellationToken ct)
    {
        Sink = (ISink)new KafkaFactory().Create(config, Context);
        await Sink.OpenAsync(OpenMode.Run, ct);
        return Sink;
    }

    public async Task SendAllAsync(IReadOnlyList<SinkRecord> records, int batch, CancellationToken ct)
    {
        for (var settled = 0; settled < records.Count;)
        {
            await Between(settled);
            try
            {
                var sink = Sink ?? await OpenAsync(ct);
                var result = await sink.WriteAsync([.. records.Skip(settled).Take(batch)], ct);
                Rejected.AddRange(result.Rejected.Select(r => (records[settled + r.Index].Offset, r.Reason)));
                settled += result.Settled;
                if (result.Settled == 0) throw new IOException("Nothing was settled.");
            }
            catch (Exception e) when (e is not (PermanentException or OperationCanceledException))
            {
                Faults++;
                await CloseAsync();
                await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, ct);
            }
        }
    }

    public async Task CloseAsync()
    {
        if (Sink is not { } sink) return;
        Sink = null;
        await sink.CloseAsync(CloseReason.Fault, CancellationToken.None);
        await sink.DisposeAsync();
    }

    public async ValueTask DisposeAsync() => await CloseAsync();

    /// <summary>Records of one topic whose value is their number; the key's partition follows from the key.</summary>
    public static List<SinkRecord> Numbered(string topic, int count, int keys = 10, int partitions = 3, int size = 0) => [.. Enumerable.Range(0, count).Select(i => new SinkRecord
    {
        Topic = topic, Partition = i % keys % partitions, Partitions = partitions, Offset = i, Timestamp = 1_700_000_000_000 + i,
        Key = Bytes("k" + (i % keys)), Value = Bytes(i.ToString(CultureInfo.InvariantCulture).PadRight(size)),
    })];

    public static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    public static string Text(ReadOnlyMemory<byte>? bytes) => bytes is { } b ? Encoding.UTF8.GetString(b.Span) : "<null>";
}
