using System.Diagnostics.Metrics;
using IotGateway.Broker.Protocol;

namespace IotGateway.Broker.Server;

/// <summary>The meter <c>IotGateway.Broker</c>. Thread-safe.</summary>
internal sealed class BrokerMetrics : IDisposable
{
    readonly Meter _meter;
    readonly UpDownCounter<long> _connections;
    readonly Counter<long> _requests;
    readonly Counter<long> _errors;
    readonly Counter<long> _bytes;
    readonly Histogram<double> _duration;
    readonly UpDownCounter<long> _unread;
    readonly Counter<long> _authentications;

    public BrokerMetrics(IMeterFactory? factory)
    {
        _meter = factory?.Create("IotGateway.Broker") ?? new Meter("IotGateway.Broker");
        _connections = _meter.CreateUpDownCounter<long>("iotgateway.broker.connections", "{connection}", "Open client connections.");
        _requests = _meter.CreateCounter<long>("iotgateway.broker.requests", "{request}", "Requests taken, by API.");
        _errors = _meter.CreateCounter<long>("iotgateway.broker.errors", "{error}", "Connections closed for an error, by reason.");
        _bytes = _meter.CreateCounter<long>("iotgateway.broker.bytes", "By", "Bytes of requests (in) and answers (out).");
        _duration = _meter.CreateHistogram<double>("iotgateway.broker.request.duration", "s", "From a request's last byte to its answer.");
        _authentications = _meter.CreateCounter<long>("iotgateway.broker.authentications", "{authentication}", "Attempts to authenticate, by listener, mechanism and result.");
        _unread = _meter.CreateUpDownCounter<long>("iotgateway.broker.unread", "By", "Bytes of records in answers that clients have not taken yet.");
    }

    public void Connected(string listener) => _connections.Add(1, new KeyValuePair<string, object?>("listener", listener));

    public void Disconnected(string listener) => _connections.Add(-1, new KeyValuePair<string, object?>("listener", listener));

    public void Received(ApiKey key, long bytes)
    {
        _requests.Add(1, new KeyValuePair<string, object?>("api", Names.Of(key)));
        _bytes.Add(bytes, new KeyValuePair<string, object?>("dir", "in"));
    }

    public void Answered(ApiKey key, long bytes, TimeSpan after)
    {
        _bytes.Add(bytes, new KeyValuePair<string, object?>("dir", "out"));
        _duration.Record(after.TotalSeconds, new KeyValuePair<string, object?>("api", Names.Of(key)));
    }

    public void Authenticated(string listener, string mechanism, string result)
        => _authentications.Add(1, new("listener", listener), new("mechanism", mechanism), new("result", result));

    /// <summary>From now on tells how long the listeners' certificates are good for.</summary>
    public void Certificates(Func<IEnumerable<Measurement<long>>> remaining)
        => _meter.CreateObservableGauge("iotgateway.broker.certificate.remaining", remaining, "s", "Time until a listener's certificate ends; negative afterwards.");

    /// <summary>From now on tells how far consumer groups are behind, by group and topic.</summary>
    public void GroupLag(Func<IEnumerable<Measurement<long>>> lag)
        => _meter.CreateObservableGauge("iotgateway.broker.group.lag", lag, "{record}", "Records between a group's committed offsets and the ends of the partitions.");

    public void Holds(long bytes) => _unread.Add(bytes);

    public void Failed(string reason) => _errors.Add(1, new KeyValuePair<string, object?>("reason", reason));

    public void Dispose() => _meter.Dispose();

    /// <summary>Names of the APIs as boxed constants, so that counting allocates nothing.</summary>
    static class Names
    {
        static readonly string?[] All = [.. Enumerable.Range(0, 100).Select(k => Enum.GetName((ApiKey)k))];

        public static string Of(ApiKey key) => (short)key is >= 0 and < 100 ? All[(short)key] ?? "unknown" : "unknown";
    }
}
