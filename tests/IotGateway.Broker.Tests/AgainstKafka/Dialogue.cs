using System.Net;
using System.Runtime.CompilerServices;
using IotGateway.Broker.Protocol;
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
    readonly List<(string Asked, string How)> _differences = [];
    readonly List<(string Api, string Path, string Why)> _deviations = [];
    readonly Side _ours, _theirs;
    int _asked;

    Dialogue(Side ours, Side theirs) => (_ours, _theirs) = (ours, theirs);

    /// <summary>One of the two brokers, and what was learnt from it.</summary>
    public sealed class Side(string name, Func<Task<RawClient>> connect)
    {
        public string Name => name;
        readonly Dictionary<string, RawClient> _clients = [];

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

    /// <summary>Asks both, in one version.</summary>
    /// <param name="make">The request; for each side, since ids differ.</param>
    /// <param name="version">Of the API.</param>
    /// <param name="learn">Takes what later requests need.</param>
    /// <param name="sorted">The order of the answer's lists means nothing.</param>
    /// <param name="by">The connection of which.</param>
    /// <param name="line">Of the caller.</param>
    public async Task AskAsync<TRequest, TResponse>(Func<Side, TRequest> make, short version, Action<Side, TResponse>? learn = null, bool sorted = false, string by = Main, [CallerLineNumber] int line = 0)
        where TRequest : IKafkaMessage<TRequest> where TResponse : IKafkaMessage<TResponse>
    {
        _asked++;
        var told = new List<string>[2];
        foreach (var (i, side) in new[] { (0, _ours), (1, _theirs) })
        {
            await (await side.ReadyAsync(by)).SendAsync(make(side), version);
            told[i] = await HearAsync(side, version, learn, sorted, by);
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
    public async Task AskAllAsync<TRequest, TResponse>(Func<Side, short, TRequest> make, short from = 0, short to = short.MaxValue, bool sorted = false, [CallerLineNumber] int line = 0)
        where TRequest : IKafkaMessage<TRequest> where TResponse : IKafkaMessage<TResponse>
    {
        for (var version = Math.Max(from, TRequest.LowestVersion); version <= Math.Min(to, TRequest.HighestVersion); version++)
        {
            var v = version;
            await AskAsync<TRequest, TResponse>(side => make(side, v), v, sorted: sorted, line: line);
        }
    }

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

    static async Task<List<string>> HearAsync<TResponse>(Side side, short version, Action<Side, TResponse>? learn, bool sorted, string by) where TResponse : IKafkaMessage<TResponse>
    {
        if (await (await side.ReadyAsync(by)).ReceiveAsync() is not { } frame)
        {
            await side.CloseAsync(by);
            return ["closed the connection"];
        }
        var response = RawClient.Parse<TResponse>(frame, version);
        learn?.Invoke(side, response);
        return side.Told.Lines(response, sorted);
    }

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
