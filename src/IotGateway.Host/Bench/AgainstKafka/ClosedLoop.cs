using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Host.Cli;
using IotGateway.Log.Records;

namespace IotGateway.Host.Bench.AgainstKafka;

/// <summary>
/// Many producers that each wait for the acknowledgement of one request before they send the next: one batch a request, to one partition each,
/// acks=all. Speaks the protocol directly, since it shares two cores with what it measures. The same for both programs.
/// </summary>
sealed class ClosedLoop : IDisposable
{
    const short Version = 9; // flexible, topics by name
    readonly List<Producer> _producers = [];

    /// <summary>Bytes of one batch as sent.</summary>
    public int BatchBytes { get; private set; }

    /// <summary>Answers so far.</summary>
    public long Acknowledged => _producers.Sum(p => p.Acknowledged);

    /// <summary>Connects all; partition n is that of every n-th connection.</summary>
    public static async Task<ClosedLoop> ConnectAsync(string bootstrap, string topic, int connections, int partitions, int records, int size, CancellationToken ct)
    {
        var loop = new ClosedLoop();
        var builder = new RecordBatchBuilder();
        var value = new byte[size];
        Random.Shared.NextBytes(value);
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
        for (var i = 0; i < records; i++) builder.Add(now, default, value, hasKey: false);
        var batch = builder.Build();
        loop.BatchBytes = batch.Length;
        for (var i = 0; i < connections; i++)
        {
            var producer = new Producer(Request(topic, i % partitions, batch));
            loop._producers.Add(producer);
            await producer.ConnectAsync(IPEndPoint.Parse(bootstrap), ct).ConfigureAwait(false);
        }
        return loop;
    }

    /// <summary>Runs all of them that long; returns when each has its last answer, with the time from the first request on.</summary>
    public async Task<TimeSpan> RunAsync(TimeSpan time, CancellationToken ct)
    {
        using var over = new CancellationTokenSource(time, TimeProvider.System);
        var started = TimeProvider.System.GetTimestamp();
        await Task.WhenAll(_producers.Select(p => p.RunAsync(over.Token, ct))).ConfigureAwait(false);
        return TimeProvider.System.GetElapsedTime(started);
    }

    public void Dispose() => _producers.ForEach(p => p.Dispose());

    static byte[] Request(string topic, int partition, ReadOnlyMemory<byte> batch)
    {
        using var writer = new KafkaWriter();
        writer.WriteInt32(0);
        new RequestHeader(ApiKey.Produce, Version, 0, "bench").Write(writer, flexible: true);
        new ProduceRequest
        {
            Acks = -1,
            TimeoutMs = 30_000,
            TopicData = [new() { Name = topic, PartitionData = [new() { Index = partition, Records = batch }] }],
        }.Write(writer, Version);
        writer.PatchInt32(0, (int)writer.Length - 4);
        return writer.ToArray();
    }

    /// <summary>One connection. The request is the same each time: who has no producer id may send a batch again.</summary>
    sealed class Producer(byte[] request) : IDisposable
    {
        readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        readonly byte[] _answer = new byte[1024];

        public long Acknowledged { get; private set; }

        public ValueTask ConnectAsync(IPEndPoint server, CancellationToken ct) => _socket.ConnectAsync(server, ct);

        public async Task RunAsync(CancellationToken over, CancellationToken ct)
        {
            while (!over.IsCancellationRequested)
            {
                await _socket.SendAsync(request, SocketFlags.None, ct).ConfigureAwait(false);
                var length = 4;
                for (var got = 0; got < length;)
                {
                    var more = await _socket.ReceiveAsync(_answer.AsMemory(got), SocketFlags.None, ct).ConfigureAwait(false);
                    if (more == 0) throw new CliException("The broker has closed a connection of the bench.");
                    got += more;
                    if (got >= 4) length = 4 + BinaryPrimitives.ReadInt32BigEndian(_answer);
                }
                Check(length);
                Acknowledged++;
            }
        }

        void Check(int length)
        {
            var reader = new KafkaReader(_answer.AsMemory(4, length - 4));
            reader.ReadInt32(); // correlation id
            reader.SkipTags();
            var answer = ProduceResponse.Read(ref reader, Version).Responses[0].PartitionResponses[0];
            if (answer.ErrorCode != 0) throw new CliException($"The broker refused a record of the bench with error {answer.ErrorCode}.");
        }

        public void Dispose() => _socket.Dispose();
    }
}
