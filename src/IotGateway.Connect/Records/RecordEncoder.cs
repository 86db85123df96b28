using System.Buffers;
using System.Text;
using IotGateway.Connect.Configs;
using IotGateway.Connect.EventLog;
using IotGateway.Sdk.Data;

namespace IotGateway.Connect.Records;

/// <summary>
/// Turns a connector's readings and records into records of an <see cref="EventUnit"/>: format, headers, time rule, topic; what has
/// no valid topic becomes a dead letter. One per task; used by one thread at a time. Allocates nothing per reading.
/// </summary>
/// <remarks>A record above <see cref="MaxRecordBytes"/> would be refused by the log: it is a dead letter, cut where even that has no room.</remarks>
sealed class RecordEncoder(string connector, CommonOptions options, TopicNames topics)
{
    /// <summary>Most bytes of a key and value together: Kafka's default max.message.bytes less room for headers.</summary>
    public const int MaxRecordBytes = 1_000_000;

    const int MaxDeadLetterBytes = 8 << 20; // half of what the topic of dead letters takes
    readonly byte[] _connector = Encoding.UTF8.GetBytes(connector);
    readonly ArrayBufferWriter<byte> _scratch = new(256);
    long _unit;

    /// <summary>Dead letters written since the start.</summary>
    public long DeadLetters { get; private set; }

    /// <summary>Adds readings as records, and each tag's last one as its last value.</summary>
    public void Add(EventUnit unit, IReadOnlyList<Reading> readings)
    {
        if (readings.Count == 0) return;
        for (var i = 0; i < readings.Count; i++) Add(unit, readings[i]);
        _unit++;
        for (var i = readings.Count - 1; i >= 0; i--) PutLast(unit, readings[i]);
    }

    /// <summary>Adds an opaque record.</summary>
    public void Add(EventUnit unit, Record record, DateTime gatewayTime)
    {
        var name = record.Poison is { } poison ? new TopicName(null, record.Topic, poison) : topics.For(record.Topic);
        var (time, clockOff) = TimePolicy.Choose(options.Time, record.SourceTime, gatewayTime, backfill: false);
        unit.Begin(Topic(name), ValueJson.EpochMs(time));
        if (record.Key is { } key) unit.Key(key.Span);
        if (record.Value is { } value) unit.Value(value.Length <= MaxDeadLetterBytes ? value.Span : value.Span[..MaxDeadLetterBytes]);
        foreach (var header in record.Headers) unit.Header(header.Name, header.Value);
        CommonHeaders(unit, name, gatewayTime);
        if (clockOff)
        {
            TimeHeader(unit, "sourceTime", record.SourceTime);
            unit.Header("status", "clock"u8);
        }
        End(unit, name, record.Value?.Length ?? 0);
    }

    void End(EventUnit unit, in TopicName name, int length)
    {
        if (unit.OpenBytes > MaxRecordBytes && name.Topic is { } topic)
        {
            unit.Redirect(InternalTopics.DeadLetters);
            if (name.Original is null) unit.Header("topic", topic);
            unit.Header("reason", $"size: key and value have {length} bytes or more; the most is {MaxRecordBytes}");
            DeadLetters++;
        }
        unit.End();
    }

    void Add(EventUnit unit, in Reading reading)
    {
        var slot = (TagSlot)reading.Tag.Slot!;
        var name = reading.Backfill ? topics.Backfill(slot.Live) : slot.Live;
        var (time, clockOff) = TimePolicy.Choose(options.Time, reading.SourceTime, reading.GatewayTime, reading.Backfill);
        unit.Begin(Topic(name), ValueJson.EpochMs(time));
        unit.Key(reading.Tag.Key.Span);
        CommonHeaders(unit, name, reading.GatewayTime);
        if (reading.Backfill) unit.Header("backfill", "true"u8);
        if (options.Format == RecordFormat.Json)
        {
            unit.BeginValue();
            WriteJson(unit, reading, slot, time, clockOff);
            unit.EndValue();
        }
        else WriteBare(unit, reading, clockOff);
        End(unit, name, unit.OpenBytes);
    }

    void WriteJson(EventUnit to, in Reading reading, TagSlot slot, DateTime time, bool clockOff)
    {
        var value = reading.Value;
        var finite = value.IsFinite;
        var bad = reading.Quality == Quality.Bad || value.IsNone || !finite;
        JsonText.Raw(to, slot.Head);
        JsonText.Raw(to, TagSlot.NameOf(value.IsNone ? reading.Tag.Type : value.Type));
        JsonText.Raw(to, "\",\"value\":"u8);
        // A bad value is not shown: whoever reads only "value" must not act on it.
        if (bad) JsonText.Raw(to, "null"u8);
        else ValueJson.Write(to, value, options.TimeFormat, options.Int64);
        if (reading.Label is { } label && !bad)
        {
            JsonText.Raw(to, ",\"label\":"u8);
            JsonText.String(to, label);
        }
        JsonText.Raw(to, slot.Unit);
        JsonText.Raw(to, ",\"quality\":\""u8);
        JsonText.Raw(to, bad ? "bad"u8 : reading.Quality == Quality.Good ? "good"u8 : "uncertain"u8);
        JsonText.Raw(to, "\""u8);
        WriteStatus(to, reading, finite, clockOff);
        JsonText.Raw(to, ",\"time\":"u8);
        ValueJson.Time(to, time, options.TimeFormat);
        if (clockOff)
        {
            JsonText.Raw(to, ",\"sourceTime\":"u8);
            ValueJson.Time(to, reading.SourceTime, options.TimeFormat);
        }
        JsonText.Raw(to, "}"u8);
    }

    static void WriteStatus(EventUnit to, in Reading reading, bool finite, bool clockOff)
    {
        if (reading.Status is null && finite && !clockOff) return;
        JsonText.Raw(to, ",\"status\":"u8);
        if (reading.Status is { } status)
        {
            JsonText.String(to, clockOff ? status + ",clock" : status);
            return;
        }
        JsonText.Raw(to, "\""u8);
        if (!finite)
        {
            JsonText.Raw(to, "value:"u8);
            JsonText.Raw(to, ValueJson.NotFinite(reading.Value));
        }
        if (clockOff) JsonText.Raw(to, finite ? "clock"u8 : ",clock"u8);
        JsonText.Raw(to, "\""u8);
    }

    // Without the JSON around it, quality and status have to be headers; a good reading has neither.
    void WriteBare(EventUnit unit, in Reading reading, bool clockOff)
    {
        var bad = reading.Quality == Quality.Bad || reading.Value.IsNone || !reading.Value.IsFinite;
        if (bad || reading.Quality != Quality.Good) unit.Header("quality", bad ? "bad"u8 : "uncertain"u8);
        if (reading.Status is { } status) unit.Header("status", status);
        else if (!reading.Value.IsFinite)
        {
            _scratch.ResetWrittenCount();
            JsonText.Raw(_scratch, "value:"u8);
            JsonText.Raw(_scratch, ValueJson.NotFinite(reading.Value));
            unit.Header("status", _scratch.WrittenSpan);
        }
        else if (clockOff) unit.Header("status", "clock"u8);
        if (clockOff) TimeHeader(unit, "sourceTime", reading.SourceTime);
        if (options.Format == RecordFormat.Raw && reading.Value.Type == DataType.Bytes && !bad) unit.Value(reading.Value.AsBytes.Span);
        else
        {
            // A bad reading is an empty text, not a tombstone: compaction must not take a device's silence for a deletion.
            unit.BeginValue();
            if (!bad) ValueJson.WriteText(unit, reading.Value, options.TimeFormat, options.Int64);
            unit.EndValue();
        }
    }

    string Topic(in TopicName name)
    {
        if (name.Topic is { } topic) return topic;
        DeadLetters++;
        return InternalTopics.DeadLetters;
    }

    void CommonHeaders(EventUnit unit, in TopicName name, DateTime gatewayTime)
    {
        TimeHeader(unit, "gatewayTime", gatewayTime);
        unit.Header("connector", _connector);
        if (name.Original is { } original) unit.Header("topic", original);
        if (name.Refusal is { } refusal) unit.Header("reason", refusal);
    }

    void TimeHeader(EventUnit unit, string name, DateTime utc)
    {
        _scratch.ResetWrittenCount();
        JsonText.Iso(_scratch, utc);
        unit.Header(name, _scratch.WrittenSpan);
    }

    void PutLast(EventUnit unit, in Reading reading)
    {
        var slot = (TagSlot)reading.Tag.Slot!;
        if (reading.Backfill || slot.Mark == _unit) return;
        slot.Mark = _unit;
        _scratch.ResetWrittenCount();
        LastValueCodec.Write(_scratch, reading);
        if (_scratch.WrittenCount <= LastValueCodec.MaxBytes) unit.Put(LogTables.Last, reading.Tag.Key.Span, _scratch.WrittenSpan);
        else unit.Delete(LogTables.Last, reading.Tag.Key.Span);
    }
}
