using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using Confluent.Kafka;
using IotGateway.Broker.Tests.Server;
using IotGateway.Testing;

namespace IotGateway.Broker.Tests.Clients;

/// <summary>Apache Kafka Connect: standalone, and distributed with its topics and groups on our broker: an exactly-once source, a sink, and its offsets set back.</summary>
public sealed class ConnectTests
{
    const int Some = 600;
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(200);

    [Fact]
    public async Task An_exactly_once_source_outlives_a_killed_worker_and_a_sink_reads_again_after_its_offsets_are_deleted()
    {
        KafkaTools.SkipWithout();
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateAsync("lines");
        var folder = Directory.CreateTempSubdirectory("connect-").FullName;
        var output = Path.Combine(folder, "out.txt");
        long before;
        int all;
        using (var worker = await Worker.StartAsync(broker, folder))
        {
            await worker.SendAsync(HttpMethod.Post, "connectors", Connector("source", "org.apache.kafka.connect.tools.VerifiableSourceConnector", new()
            {
                ["topic"] = "lines",
                ["throughput"] = "500",
                // Each poll brings one record: a transaction for each would measure the disk's syncs.
                ["transaction.boundary"] = "interval",
                ["transaction.boundary.interval.ms"] = "100",
            }));
            await EventuallyAsync(() => End(broker) >= Some, () => $"{End(broker)} records came");
        } // killed between two transactions or in one
        before = End(broker);
        using (var worker = await Worker.StartAsync(broker, folder))
        {
            await EventuallyAsync(() => End(broker) >= before + Some, () => $"{End(broker)} records came, {before} before the kill");
            await worker.SendAsync(HttpMethod.Put, "connectors/source/stop", null);
            await EventuallyAsync(() => worker.SendAsync(HttpMethod.Delete, "connectors/source/offsets", null, mayFail: true).GetAwaiter().GetResult(), () => "the source did not stop");
            var records = Committed(broker);
            all = records.Count;
            Assert.Equal(Enumerable.Range(0, all).Select(i => $"{i}"), records); // none lost, none twice

            await worker.SendAsync(HttpMethod.Post, "connectors", Connector("sink", "FileStreamSink", new() { ["file"] = output, ["topics"] = "lines" }));
            await EventuallyAsync(() => Written(output) == all, () => $"{Written(output)} of {all} lines were written");
            await worker.SendAsync(HttpMethod.Put, "connectors/sink/stop", null);
            await EventuallyAsync(() => worker.SendAsync(HttpMethod.Delete, "connectors/sink/offsets", null, mayFail: true).GetAwaiter().GetResult(), () => "the sink's offsets could not be deleted");
            await worker.SendAsync(HttpMethod.Put, "connectors/sink/resume", null);
            await EventuallyAsync(() => Written(output) == 2 * all, () => $"{Written(output)} of {2 * all} lines were written");
        }
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task A_standalone_worker_brings_every_line_of_a_file()
    {
        KafkaTools.SkipWithout();
        await using var broker = await TestBroker.StartAsync();
        await broker.CreateAsync("lines");
        var folder = Directory.CreateTempSubdirectory("connect-").FullName;
        var lines = Enumerable.Range(0, 4 * Some).Select(i => $"line {i}").ToList();
        await File.WriteAllLinesAsync(Path.Combine(folder, "in.txt"), lines, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(folder, "source.properties"), $"""
            name=source
            connector.class=org.apache.kafka.connect.file.FileStreamSourceConnector
            file={folder}/in.txt
            topic=lines
            """, TestContext.Current.CancellationToken);
        using (await Worker.StartAsync(broker, folder, "connect-standalone", $"offset.storage.file.filename={folder}/offsets", Path.Combine(folder, "source.properties")))
            await EventuallyAsync(() => End(broker) >= lines.Count, () => $"{End(broker)} of {lines.Count} lines came");
        Assert.Equal(lines, Committed(broker));
        Directory.Delete(folder, recursive: true);
    }

    static Dictionary<string, object> Connector(string name, string type, Dictionary<string, string> config)
    {
        config["connector.class"] = type;
        config["tasks.max"] = "1";
        return new() { ["name"] = name, ["config"] = config };
    }

    static long End(TestBroker broker) => broker.Store.Find("lines")!.Partitions[0].HighWatermark;

    static List<string> Committed(TestBroker broker) => TransactionClientTests.ReadAll(broker.Bootstrap, IsolationLevel.ReadCommitted, "lines");

    static int Written(string path) => File.Exists(path) ? File.ReadLines(path).Count() : 0;

    static async Task EventuallyAsync(Func<bool> holds, Func<string> otherwise)
    {
        var started = Stopwatch.GetTimestamp();
        while (!holds())
        {
            if (Stopwatch.GetElapsedTime(started) > Patience) Assert.Fail(otherwise());
            await Task.Delay(200, TestContext.Current.CancellationToken);
        }
    }

    sealed class Worker : IDisposable
    {
        readonly Process _process;
        readonly HttpClient _http;
        readonly ConcurrentQueue<string> _said = [];

        Worker(Process process, int port) => (_process, _http) = (process, new() { BaseAddress = new($"http://127.0.0.1:{port}/"), Timeout = Patience });

        const string Distributed = """
            group.id=connect
            offset.storage.topic=connect-offsets
            offset.storage.partitions=1
            offset.storage.replication.factor=3
            config.storage.topic=connect-configs
            config.storage.replication.factor=3
            status.storage.topic=connect-status
            status.storage.partitions=1
            status.storage.replication.factor=3
            exactly.once.source.support=enabled
            session.timeout.ms=6000
            heartbeat.interval.ms=1000
            scheduled.rebalance.max.delay.ms=0
            producer.transaction.timeout.ms=10000
            """; // a worker waits for the transaction in which the one before it was killed to end: by Kafka's default a minute

        // Its port may be somebody else's by the time that Java has started: then it ends, and another is tried.
        public static async Task<Worker> StartAsync(TestBroker broker, string folder, string program = "connect-distributed", string settings = Distributed, params string[] connectors)
        {
            for (var tries = 1; ; tries++)
            {
                var worker = await BeginAsync(broker, folder, program, settings, connectors);
                var started = Stopwatch.GetTimestamp();
                while (Stopwatch.GetElapsedTime(started) < Patience && !worker._process.HasExited)
                {
                    if (await worker.IsReadyAsync()) return worker;
                    await Task.Delay(200, TestContext.Current.CancellationToken);
                }
                var ended = worker._process.HasExited;
                worker.Dispose();
                if (!ended || tries == 3) Assert.Fail($"Kafka Connect {(ended ? "ended" : "was not ready")}: {string.Join('\n', worker._said.TakeLast(30))}");
            }
        }

        async Task<bool> IsReadyAsync()
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
            limit.CancelAfter(TimeSpan.FromSeconds(10));
            try
            {
                using var response = await _http.GetAsync(new Uri("connectors", UriKind.Relative), limit.Token);
                return response.IsSuccessStatusCode;
            }
            catch (Exception e) when (e is HttpRequestException || (e is OperationCanceledException && !TestContext.Current.CancellationToken.IsCancellationRequested))
            {
                return false; // not listening yet, or another's port that does not answer
            }
        }

        static async Task<Worker> BeginAsync(TestBroker broker, string folder, string program, string settings, string[] connectors)
        {
            var port = Ports.Free();
            var config = Path.Combine(folder, "worker.properties");
            await File.WriteAllTextAsync(config, $"""
                bootstrap.servers={broker.Bootstrap}
                key.converter=org.apache.kafka.connect.storage.StringConverter
                value.converter=org.apache.kafka.connect.storage.StringConverter
                consumer.isolation.level=read_committed
                offset.flush.interval.ms=1000
                plugin.discovery=service_load
                listeners=http://127.0.0.1:{port}
                rest.advertised.host.name=127.0.0.1

                """ + settings, TestContext.Current.CancellationToken);
            var start = new ProcessStartInfo(Path.Combine(KafkaTools.Directory!, "kafka"), [program, config, .. connectors]) { RedirectStandardOutput = true, RedirectStandardError = true };
            start.Environment["KAFKA_HEAP_OPTS"] = "-Xmx256m -XX:TieredStopAtLevel=1";
            var worker = new Worker(Process.Start(start)!, port);
            worker._process.OutputDataReceived += (_, line) => worker._said.Enqueue(line.Data ?? "");
            worker._process.ErrorDataReceived += (_, line) => worker._said.Enqueue(line.Data ?? "");
            worker._process.BeginOutputReadLine();
            worker._process.BeginErrorReadLine();
            return worker;
        }

        /// <summary>Whether it was done; while the workers rebalance it is not, and is asked again.</summary>
        public async Task<bool> SendAsync(HttpMethod method, string path, object? body, bool mayFail = false)
        {
            for (var started = Stopwatch.GetTimestamp(); ;)
            {
                try
                {
                    using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body) };
                    using var response = await _http.SendAsync(request, TestContext.Current.CancellationToken);
                    if (response.IsSuccessStatusCode || mayFail) return response.IsSuccessStatusCode;
                    if (response.StatusCode != HttpStatusCode.Conflict || Stopwatch.GetElapsedTime(started) > Patience)
                        Assert.Fail($"{method} {path}: {await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)}");
                }
                catch (HttpRequestException) when (mayFail)
                {
                    return false; // not listening yet
                }
                await Task.Delay(200, TestContext.Current.CancellationToken);
            }
        }

        public void Dispose()
        {
            _process.Kill(entireProcessTree: true);
            _process.WaitForExit();
            _process.Dispose();
            _http.Dispose();
        }
    }
}
