using System.Text;
using IotGateway.Connectors.Sparkplug;
using IotGateway.Connectors.Sparkplug.Plant;
using IotGateway.Connectors.Sparkplug.Wire;
using IotGateway.Sdk;
using IotGateway.Sdk.Data;
using IotGateway.Testing;

namespace IotGateway.Tests.Sparkplug.Support;

/// <summary>The model of a plant with a clock moved by hand; what it gives is kept and appended to a store.</summary>
sealed class PlantUnderTest
{
    readonly PlantModel _model;

    public PlantUnderTest(DurableStore? store = null, int maxEdges = 10, TimeSpan? grace = null)
    {
        Store = store ?? new();
        Context = new(Store, "plant", Time);
        _model = new(new(Context, new(Context), new("${group}.${edge}", "${group}.${edge}.${device}"), TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(40), SparkplugMetrics.Instance), maxEdges);
        _model.Restore(grace ?? TimeSpan.Zero);
    }

    public ManualTime Time { get; } = new();

    public DurableStore Store { get; }

    public FakeContext Context { get; }

    public PlantModel Model => _model;

    /// <summary>Everything so far.</summary>
    public List<EdgeKey> Rebirths { get; } = [];

    /// <summary>A message; returns its readings.</summary>
    public IReadOnlyList<Reading> Send(string topic, byte[] payload) => Do(o => _model.Apply(Encoding.UTF8.GetBytes("spBv1.0/" + topic), payload, Time.GetUtcNow().UtcDateTime, o));

    public IReadOnlyList<Reading> Send(string topic, int? seq, params Metric[] metrics) => Send(topic, Metrics.Payload(seq, metrics));

    public IReadOnlyList<Reading> Overflow(string group, string edge, long messages) => Do(o => _model.Overflow(new(group, edge), messages, o));

    /// <summary>Time goes by; what is due is done.</summary>
    public IReadOnlyList<Reading> After(double seconds)
    {
        Time.Advance(TimeSpan.FromSeconds(seconds));
        return Do(_model.Tick);
    }

    IReadOnlyList<Reading> Do(Action<PlantOutput> act)
    {
        var output = new PlantOutput("plant");
        act(output);
        Rebirths.AddRange(output.Rebirths);
        if (output.Build() is { } batch) Store.Append(batch);
        return output.Readings;
    }

    /// <summary>Readings as text: device/tag=value, or !status where it is not good.</summary>
    public static string[] Text(IEnumerable<Reading> readings)
        => [.. readings.Select(r => $"{r.Tag}={(r.Quality == Quality.Bad ? "" : r.Value.ToString())}{(r.Status is { } s ? "!" + s : "")}")];
}
