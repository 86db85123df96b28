using System.Text;
using System.Text.Json;
using IotGateway.Connect.EventLog;
using IotGateway.Sdk.Data;

namespace IotGateway.Connect.Health;

/// <summary>Which open gap: of a task, of one of its devices, or one a connector reported itself (with its reason).</summary>
readonly record struct GapKey(string Connector, string Task, string? Device = null, string? Reported = null);

/// <summary>
/// The gaps that are open now, also those of earlier runs of the process. Opening and closing write the gap's record and the book's
/// own durable entry into the caller's unit, so that they are one step with the data around them. Thread-safe.
/// </summary>
sealed class GapBook
{
    readonly IEventLog _log;
    readonly TimeProvider _time;
    readonly Dictionary<string, GapRecord> _open = new(StringComparer.Ordinal);
    readonly Lock _lock = new();

    /// <summary>Loads what is open.</summary>
    public GapBook(IEventLog log, TimeProvider time)
    {
        (_log, _time) = (log, time);
        foreach (var (key, value) in _log.Scan(LogTables.Gaps))
            if (JsonSerializer.Deserialize(value.Span, HealthJson.Default.GapRecord) is { } gap) _open[Encoding.UTF8.GetString(key.Span)] = gap;
    }

    public bool IsOpen(in GapKey key)
    {
        lock (_lock) return _open.ContainsKey(Text(key));
    }

    /// <summary>Opens a gap; nothing when it is open already.</summary>
    public void Open(EventUnit unit, in GapKey key, DateTime from, string reason, IReadOnlyList<string>? tags = null, long? lost = null)
    {
        lock (_lock)
        {
            var text = Text(key);
            if (_open.ContainsKey(text)) return;
            var gap = New(key, from, reason, tags, lost);
            _open[text] = gap;
            Write(unit, gap);
            unit.Put(LogTables.Gaps, Encoding.UTF8.GetBytes(text), JsonSerializer.SerializeToUtf8Bytes(gap, HealthJson.Default.GapRecord));
        }
    }

    /// <summary>Closes a gap; nothing when it is not open.</summary>
    public void Close(EventUnit unit, in GapKey key, DateTime to, long? lost = null)
    {
        lock (_lock)
        {
            var text = Text(key);
            if (!_open.Remove(text, out var gap)) return;
            Write(unit, gap with { To = HealthJson.Time(to > HealthJson.Parse(gap.From) ? to : HealthJson.Parse(gap.From)), Lost = lost ?? gap.Lost, Status = "closed" });
            unit.Delete(LogTables.Gaps, Encoding.UTF8.GetBytes(text));
        }
    }

    /// <summary>Closes whatever is open of a connector that was removed.</summary>
    public void CloseAll(EventUnit unit, string connector, DateTime to)
    {
        List<GapKey> keys;
        lock (_lock)
            keys = [.. _open.Keys.Select(k => k.Split('\0')).Where(k => k[0] == connector).Select(k => new GapKey(k[0], k[1], Empty(k[2]), Empty(k[3])))];
        foreach (var key in keys) Close(unit, key, to);
        static string? Empty(string s) => s.Length == 0 ? null : s;
    }

    /// <summary>A gap the connector knows of: one with both ends is written closed, one without an end stays open until the same device and reason end it.</summary>
    public void Reported(EventUnit unit, string connector, string task, Gap gap)
    {
        var key = new GapKey(connector, task, gap.Device, gap.Reason);
        if (gap.To is not { } to) Open(unit, key, gap.From, gap.Reason, gap.Tags, gap.Lost);
        else if (IsOpen(key)) Close(unit, key, to, gap.Lost);
        else Write(unit, New(key, gap.From, gap.Reason, gap.Tags, gap.Lost) with { To = HealthJson.Time(to), Status = "closed" });
    }

    /// <summary>What the log has lost or deleted to make space: written closed, with its offsets, under the name of the log itself.</summary>
    public void LostInLog(EventUnit unit, LostRange range)
    {
        range.Settle(unit);
        Write(unit, New(new GapKey("log", "", null, null), range.From, range.Reason, null, range.ToOffset - range.FromOffset) with
        {
            To = HealthJson.Time(range.To),
            Status = "closed",
            Topic = range.Topic,
            Partition = range.Partition,
            FromOffset = range.FromOffset,
            ToOffset = range.ToOffset,
        });
    }

    GapRecord New(in GapKey key, DateTime from, string reason, IReadOnlyList<string>? tags, long? lost) => new()
    {
        Id = Guid.CreateVersion7(_time.GetUtcNow()).ToString("N"),
        Connector = key.Connector,
        Device = key.Device,
        Tags = tags,
        From = HealthJson.Time(from),
        Reason = reason,
        Lost = lost,
        Status = "open",
    };

    void Write(EventUnit unit, GapRecord gap)
    {
        unit.Reserved = true;
        unit.Begin(InternalTopics.Gaps, _time.GetUtcNow().ToUnixTimeMilliseconds());
        unit.Key(Encoding.UTF8.GetBytes(gap.Id));
        unit.Header("connector", gap.Connector);
        unit.Value(JsonSerializer.SerializeToUtf8Bytes(gap, HealthJson.Default.GapRecord));
        unit.End();
    }

    static string Text(in GapKey key) => string.Join('\0', key.Connector, key.Task, key.Device, key.Reported);
}
