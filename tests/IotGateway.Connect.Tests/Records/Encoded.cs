using System.Text;
using IotGateway.Connect.Configs;
using IotGateway.Connect.EventLog;
using IotGateway.Connect.Health;
using IotGateway.Connect.Records;
using IotGateway.Connect.Tasks;
using IotGateway.Connect.Tests.EventLog;
using IotGateway.Sdk.Data;

namespace IotGateway.Connect.Tests.Records;

/// <summary>One reading or record through the encoder, to look at.</summary>
sealed class Encoded
{
    readonly EventUnit _unit = new();
    readonly RecordEncoder _encoder;
    readonly TagOwner _owner;
    readonly TagTable _tags = new(new MemoryEventLog());

    public Encoded(CommonOptions? options = null)
    {
        options ??= new() { Connector = "fake" };
        var topics = new TopicNames(options.Topic ?? "press-line", "plant-north", options.MaxTopics);
        _owner = new("press-line", 100, topics, new(TimeProvider.System, _ => { }, _ => false));
        _encoder = new("press-line", options, topics);
    }

    public static DateTime At { get; } = new DateTime(2026, 11, 20, 8, 0, 0, DateTimeKind.Utc).AddTicks(1234569);

    public Tag Tag(DataType type, string name = "temperature", string? unit = null, string device = "press1") => _tags.Intern(_owner, device, name, type, unit)!;

    public string Json(Reading reading) => Text(Record(reading).Value);

    public RecordEntry Record(Reading reading)
    {
        _unit.Clear();
        _encoder.Add(_unit, [reading]);
        return _unit.Records[0];
    }

    public RecordEntry Record(Record record)
    {
        _unit.Clear();
        _encoder.Add(_unit, record, At);
        return _unit.Records[0];
    }

    public void Encode(IReadOnlyList<Reading> readings)
    {
        _unit.Clear();
        _encoder.Add(_unit, readings);
    }

    public string Text(Place place) => Encoding.UTF8.GetString(_unit.SpanAt(place));

    public Dictionary<string, string?> Headers(RecordEntry record)
    {
        var headers = new Dictionary<string, string?>();
        foreach (var header in _unit.HeadersOf(record)) headers[header.Name] = header.Value.Length < 0 ? null : Text(header.Value);
        return headers;
    }

    /// <summary>The value member of a reading's JSON.</summary>
    public static string ValueOf(Value value, CommonOptions? options = null)
    {
        var encoded = new Encoded(options);
        var json = encoded.Json(new(encoded.Tag(value.Type), value, default, At));
        var start = json.IndexOf("\"value\":", StringComparison.Ordinal) + 8;
        return json[start..json.LastIndexOf(",\"quality\"", StringComparison.Ordinal)];
    }
}
