using System.Net;
using System.Runtime.CompilerServices;
using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Tests.Server;
using IotGateway.Testing;

namespace IotGateway.Broker.Tests.AgainstKafka;

/// <summary>
/// The same requests to our broker and to a real Apache Kafka, one after the other; what they answer is compared field by field, and at the end everything that
/// differed is told at once. Fields in which we differ on purpose are named with their reasons.
/// </summary>
sealed class Dialogue : IAsyncDisposable
{
    const string Main = "main";
    const int MostTries = 3000; // 10 ms apart and more: a crowded machine takes its time
    readonly List<(string Asked, string How)> _differences = [];
    readonly List<(string Api, string Path, string Why)> _deviations = [];
    readonly Side _ours, _theirs;
    int _asked;

    Dialogue(Side ours, Side theirs) => (_ours, _theirs) = (ours, theirs);

    /// <summary>One of the two brokers, and what was learnt from it.</summary>
    public sealed class Side(string name, Func<Task<RawClient>> connect)
    {
        readonly Dictionary<string, RawClient> _clients = [];

        public string Name => name;
        public Told Told { get; } = new();

        /// <summary>What later requests need: ids the broker chose.</summary>
        public Dictionary<string, object> Known { get; } = [];

        public T Get<T>(string key) => (T)Known[key];

        /// <summary>Its connection of that name, made when it is first asked for.</summary>
        public async Task<RawClient> ReadyAsync(string by)
        {
            if (!_clients.TryGetValue(by, out var client)) _clients[by] = client = await connect();
            return client;
        }

        public async Task CloseAsync(string by)
        {
            if (_clients.Remove(by, out var client)) await client.DisposeAsync();
        }

        public async Task CloseAsync()
        {
            foreach (var by in _clients.Keys.ToList()) await CloseAsync(by);
        }
    }

    public static Dialogue Between(TestBroker ours, KafkaNode theirs)
        => new(new("ours", ours.ConnectAsync), new("Kafka", () => RawClient.ConnectAsync(IPEndPoint.Parse(theirs.Bootstrap))));

    /// <summary>From now on that field of that API's answers may differ.</summary>
    public void Deviates(ApiKey api, string path, string why) => _deviations.Add((api.ToString(), path, why));

    /// <summary>Error codes that only say "later": such an answer is not compared, the request is made again.</summary>
    public HashSet<short> Later { get; } = [];

    /// <summary>From now on all fields of that API's answers are compared again.</summary>
    public void Agrees(ApiKey api) => _deviations.RemoveAll(d => d.Api == api.ToString());

    /// <summary>Asks both, in one version.</summary>
    /// <param name="make">The request; for each side, since ids differ.</param>
    /// <param name="version">Of the API.</param>
    /// <param name="learn">Takes what later requests need.</param>
    /// <param name="sorted">The order of the answer's lists means nothing.</param>
    /// <param name="byName">The order of what has names means nothing.</param>
    /// <param name="arrange">Brings an answer whose order means nothing into one.</param>
    /// <param name="again">Whether the answer is one of a moment, and the request is made again.</param>
    /// <param name="by">The connection of which.</param>
    /// <param name="line">Of the caller.</param>
    public async Task AskAsync<TRequest, TResponse>(Func<Side, TRequest> make, short version, Action<Side, TResponse>? learn = null, bool sorted = false, bool byName = false,
        Action<TResponse>? arrange = null, Func<TResponse, bool>? again = null, string by = Main, [CallerLineNumber] int line = 0)
        where TRequest : IKafkaMessage<TRequest> where TResponse : IKafkaMessage<TResponse>
    {
        _asked++;
        var told = new List<string>[2];
        foreach (var (i, side) in new[] { (0, _ours), (1, _theirs) })
        {
            for (var tries = 0; ; tries++)
            {
                await (await side.ReadyAsync(by)).SendAsync(make(side), version);
                var moment = false;
                told[i] = await HearAsync<TResponse>(side, version, (s, answer) =>
                {
                    learn?.Invoke(s, answer);
                    arrange?.Invoke(answer);
                    moment = again?.Invoke(answer) == true;
                }, sorted, by, byName);
                if (tries == MostTries || !moment && !told[i].Exists(SaysLater)) break;
                await Task.Delay(10, TestContext.Current.CancellationToken);
            }
        }
        Compare($"{TRequest.Api} v{version} (line {line})", TRequest.Api.ToString(), told[0], told[1]);
    }

    /// <summary>Does with one broker and then with the other what is not compared: waits, most of all.</summary>
    public async Task WithBothAsync(Func<Side, Task> act)
    {
        foreach (var side in new[] { _ours, _theirs }) await act(side);
    }

    /// <summary>Sends both a request whose answer waits for others; <see cref="HearAsync{TRequest, TResponse}"/> takes it.</summary>
    public async Task SendAsync<TRequest>(Func<Side, TRequest> make, short version, string by) where TRequest : IKafkaMessage<TRequest>
    {
        foreach (var side in new[] { _ours, _theirs }) await (await side.ReadyAsync(by)).SendAsync(make(side), version);
    }

    /// <summary>The answers to what <see cref="SendAsync"/> has sent by that connection.</summary>
    public async Task HearAsync<TRequest, TResponse>(short version, string by, Action<Side, TResponse>? learn = null, bool sorted = false, [CallerLineNumber] int line = 0)
        where TRequest : IKafkaMessage<TRequest> where TResponse : IKafkaMessage<TResponse>
    {
        _asked++;
        var ours = await HearAsync(_ours, version, learn, sorted, by);
        Compare($"{TRequest.Api} v{version} (line {line})", TRequest.Api.ToString(), ours, await HearAsync(_theirs, version, learn, sorted, by));
    }

    /// <summary>Asks both, in every version our broker and that Kafka know.</summary>
    public async Task AskAllAsync<TRequest, TResponse>(Func<Side, short, TRequest> make, short from = 0, short to = short.MaxValue, bool sorted = false, bool byName = false, [CallerLineNumber] int line = 0)
        where TRequest : IKafkaMessage<TRequest> where TResponse : IKafkaMessage<TResponse>
    {
        for (var version = Math.Max(from, TRequest.LowestVersion); version <= Math.Min(to, TRequest.HighestVersion); version++)
        {
            var v = version;
            await AskAsync<TRequest, TResponse>(side => make(side, v), v, sorted: sorted, byName: byName, line: line);
        }
    }

    /// <summary>Waits until something holds of a broker; fails with <paramref name="lacks"/>'s last answer, which is null when it does, when it takes too long.</summary>
    public static async Task UntilAsync(Side side, Func<Task<string?>> lacks)
    {
        for (var tries = 0; await lacks() is { } lack; tries++)
        {
            Assert.True(tries < MostTries, $"{side.Name}: {lack}");
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Waits until both brokers lead all partitions of the topic: Kafka's controller tells its broker of new topics later than the client.</summary>
    public Task SettleAsync(string topic, int partitions) => WithBothAsync(side => UntilAsync(side, async () =>
    {
        var client = await side.ReadyAsync(Main);
        var told = (await client.CallAsync<MetadataRequest, MetadataResponse>(new() { Topics = [new() { Name = topic }], AllowAutoTopicCreation = false }, 9)).Topics[0];
        var led = (await client.CallAsync<ListOffsetsRequest, ListOffsetsResponse>(new() { ReplicaId = -1, Topics = [new() { Name = topic, Partitions = [.. Enumerable.Range(0, partitions).Select(p => new ListOffsetsRequest.ListOffsetsPartition { PartitionIndex = p, Timestamp = -1 })] }] }, 5)).Topics[0];
        return told.ErrorCode == 0 && told.Partitions.Count == partitions && led.Partitions.TrueForAll(p => p.ErrorCode == 0) ? null : $"does not lead {topic}: {told.ErrorCode}, {told.Partitions.Count}";
    }));

    /// <summary>Waits until both brokers tell that value of a topic's setting: Kafka's broker hears of changes later than the client.</summary>
    public Task SettleAsync(string topic, string setting, string value) => WithBothAsync(side => UntilAsync(side, async () =>
    {
        var told = (await (await side.ReadyAsync(Main)).CallAsync<DescribeConfigsRequest, DescribeConfigsResponse>(new() { Resources = [new() { ResourceType = 2, ResourceName = topic, ConfigurationKeys = [setting] }] }, 1)).Results[0];
        return told.Configs.Exists(c => c.Value == value) ? null : $"does not tell {setting}={value} of {topic}";
    }));

    /// <summary>Fails with all that differed.</summary>
    public void Judge()
    {
        Assert.True(_asked > 0);
        var alike = _differences.GroupBy(d => d.How, d => d.Asked).Select(g => string.Join(", ", g.Distinct()) + "\n" + g.Key);
        if (_differences.Count > 0) Assert.Fail($"{_differences.Count} of {_asked} answers differ:\n{string.Join('\n', alike)}");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var side in new[] { _ours, _theirs }) await side.CloseAsync();
    }

    static async Task<List<string>> HearAsync<TResponse>(Side side, short version, Action<Side, TResponse>? learn, bool sorted, string by, bool byName = false) where TResponse : IKafkaMessage<TResponse>
    {
        if (await (await side.ReadyAsync(by)).ReceiveAsync() is not { } frame)
        {
            await side.CloseAsync(by);
            return ["closed the connection"];
        }
        var response = RawClient.Parse<TResponse>(frame, version);
        learn?.Invoke(side, response);
        var lines = side.Told.Lines(response, byName, sorted);
        if (byName) lines.Sort(StringComparer.Ordinal);
        return lines;
    }

    bool SaysLater(string line) => Later.Count > 0 && line.LastIndexOf("ErrorCode = ", StringComparison.Ordinal) is >= 0 and var at && short.TryParse(line[(at + 12)..], out var code) && Later.Contains(code);

    void Compare(string asked, string api, List<string> ours, List<string> theirs)
    {
        ours = Without(api, ours);
        theirs = Without(api, theirs);
        if (ours.SequenceEqual(theirs)) return;
        var only = ours.Except(theirs).Take(12).Select(l => $"    ours   {l}").Concat(theirs.Except(ours).Take(12).Select(l => $"    Kafka  {l}"));
        _differences.Add((asked, string.Join('\n', only.DefaultIfEmpty("    the order of: " + string.Join(" | ", ours.Take(6))))));
    }

    List<string> Without(string api, List<string> lines)
        => [.. lines.Where(l => !_deviations.Exists(d => d.Api == api && System.Text.RegularExpressions.Regex.IsMatch(l, d.Path)))];
}
