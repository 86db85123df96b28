using System.Text.Json;
using System.Text.Json.Nodes;

namespace Acceptance.Tests.KafkaPeers;

/// <summary>A program of an independent Kafka client (<c>tests/peers/kafka-python</c>, <c>tests/peers/kafkajs</c>) at work, and what it has told so far. Safe for any thread.</summary>
sealed class KafkaPeer : IAsyncDisposable
{
    readonly Lock _lock = new();
    readonly List<PeerRecord> _records = [];
    readonly Dictionary<int, long> _committed = [];
    readonly List<JsonObject> _events = [];
    readonly Tool _tool;

    /// <param name="program">What runs it, and its script.</param>
    /// <param name="verb">What it is to do.</param>
    /// <param name="order">With what.</param>
    public KafkaPeer(string[] program, string verb, JsonObject order) => _tool = Tool.Start(program[0], [.. program[1..], verb, order.ToJsonString()], line: Take);

    /// <summary>Records it was acknowledged.</summary>
    public int Acked => (int?)Last("acked")?["records"] ?? 0;

    /// <summary>Partitions it was given last.</summary>
    public int[] Assigned => Last("assigned")?["partitions"]!.AsArray().Select(p => (int)p!).ToArray() ?? [];

    /// <summary>Records it read, in its order.</summary>
    public PeerRecord[] Records { get { lock (_lock) return [.. _records]; } }

    /// <summary>By partition, the offset of which it was last told that it is committed.</summary>
    public Dictionary<int, long> Committed { get { lock (_lock) return new(_committed); } }

    /// <summary>The other stream: its errors.</summary>
    public string Errors => _tool.Output;

    /// <summary>The last event of that name; null when there was none.</summary>
    public JsonObject? Last(string name) { lock (_lock) return _events.LastOrDefault(e => (string?)e["event"] == name); }

    void Take(string line)
    {
        using var parsed = JsonDocument.Parse(line);
        var told = parsed.RootElement;
        lock (_lock)
            switch (told.GetProperty("event").GetString())
            {
                case "records":
                    _records.AddRange(told.GetProperty("records").EnumerateArray().Select(PeerRecord.Read));
                    break;
                case "committed":
                    foreach (var offset in told.GetProperty("offsets").EnumerateArray()) _committed[offset[0].GetInt32()] = offset[1].GetInt64();
                    break;
                default:
                    _events.Add(JsonNode.Parse(line)!.AsObject());
                    break;
            }
    }

    /// <summary>Waits for what it will tell; fails when it ends before, or after the time.</summary>
    public Task UntilAsync(Func<KafkaPeer, bool> condition, string what, int seconds = 60)
        => Eventually.TrueAsync(() => condition(this) || (_tool.Process.HasExited ? throw new InvalidOperationException($"It ended with {_tool.Process.ExitCode}:\n{Errors}") : false), seconds,
            () => $"{what}; {Records.Length} read, {Acked} acknowledged, {Assigned.Length} partitions:\n{Errors}");

    /// <summary>Gives it a line; fails when it has ended.</summary>
    public async Task TellAsync()
    {
        if (_tool.Process.HasExited) Assert.Fail($"It ended with {_tool.Process.ExitCode}:\n{Errors}");
        await _tool.Process.StandardInput.WriteLineAsync();
        await _tool.Process.StandardInput.FlushAsync();
    }

    /// <summary>Waits for its end.</summary>
    public Task<int> EndAsync(int seconds = 60) => _tool.WaitAsync(seconds);

    /// <summary>Has a member leave its group, cleanly.</summary>
    public async Task LeaveAsync()
    {
        _tool.Signal(Signals.Term);
        Assert.True(await EndAsync() == 0 && Last("left") is not null, $"It did not leave:\n{Errors}");
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _tool.DisposeAsync();
}
