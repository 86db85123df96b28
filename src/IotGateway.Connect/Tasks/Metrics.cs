using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace IotGateway.Connect.Tasks;

/// <summary>Figures every connector gets unasked: meter "IotGateway.Connect", tags connector, plugin, task. Thread-safe.</summary>
sealed class Metrics
{
    public const string MeterName = "IotGateway.Connect";
    readonly Counter<long> _records, _bytes, _batches, _errors, _rejected, _dropped, _commands, _foreign;
    readonly Histogram<double> _open, _write;

    /// <param name="meters">Makes the meter.</param>
    /// <param name="observe">Present state of all tasks, asked when somebody looks.</param>
    public Metrics(IMeterFactory meters, Func<IEnumerable<(TaskTags Tags, long State, long Lag)>> observe)
    {
        var meter = meters.Create(MeterName);
        _records = meter.CreateCounter<long>("records", "{record}", "Records appended (dir=in) and delivered (dir=out).");
        _bytes = meter.CreateCounter<long>("bytes", "By", "Bytes of them.");
        _batches = meter.CreateCounter<long>("batches", "{batch}", "Batches of them.");
        _errors = meter.CreateCounter<long>("errors", "{error}", "Failures, by stage and kind.");
        _rejected = meter.CreateCounter<long>("rejected", "{record}", "Records that went to the dead letters.");
        _dropped = meter.CreateCounter<long>("dropped", "{reading}", "Readings really lost.");
        _commands = meter.CreateCounter<long>("commands", "{command}", "Outcomes of commands, by status.");
        _foreign = meter.CreateCounter<long>("commands.foreign", "{command}", "Commands for other gateways.");
        _open = meter.CreateHistogram<double>("open.duration", "s", "Time to open a connector.");
        _write = meter.CreateHistogram<double>("write.duration", "s", "Time a sink took for a batch.");
        meter.CreateObservableGauge("state", () => observe().Select(t => new Measurement<long>(t.State, t.Tags.List)), null,
            "State of a task: 0 stopped, 1 connecting, 2 running, 3 paused, 4 retrying, 5 failed.");
        meter.CreateObservableGauge("lag", () => observe().Select(t => new Measurement<long>(t.Lag, t.Tags.List)), "{record}", "Records not yet delivered.");
    }

    public void In(TaskTags tags, long records, long bytes) => Moved(tags, tags.In, records, bytes);

    public void Out(TaskTags tags, long records, long bytes) => Moved(tags, tags.Out, records, bytes);

    public void Opened(TaskTags tags, TimeSpan took) => _open.Record(took.TotalSeconds, tags.List);

    public void Wrote(TaskTags tags, TimeSpan took) => _write.Record(took.TotalSeconds, tags.List);

    public void Rejected(TaskTags tags, long records, string reason)
    {
        if (records > 0) _rejected.Add(records, [.. tags.List, new("reason", reason)]);
    }

    public void Dropped(TaskTags tags, long readings, string reason)
    {
        if (readings > 0) _dropped.Add(readings, [.. tags.List, new("reason", reason)]);
    }

    /// <param name="tags">Whose.</param>
    /// <param name="stage">open, read, append, write or command.</param>
    /// <param name="permanent">A human is needed.</param>
    public void Error(TaskTags tags, string stage, bool permanent)
        => _errors.Add(1, [.. tags.List, new("stage", stage), new("kind", permanent ? "permanent" : "transient")]);

    public void Command(string connector, string status) => _commands.Add(1, new TagList { { "connector", connector }, { "status", status } });

    public void ForeignCommand() => _foreign.Add(1);

    void Moved(TaskTags tags, KeyValuePair<string, object?>[] list, long records, long bytes)
    {
        _records.Add(records, list);
        _bytes.Add(bytes, list);
        _batches.Add(1, list);
    }
}

/// <summary>The tags of one task's figures, made once.</summary>
sealed class TaskTags
{
    public TaskTags(string connector, string plugin, int task)
    {
        List = [new("connector", connector), new("plugin", plugin), new("task", task)];
        In = [.. List, new("dir", "in")];
        Out = [.. List, new("dir", "out")];
    }

    public KeyValuePair<string, object?>[] List { get; }
    public KeyValuePair<string, object?>[] In { get; }
    public KeyValuePair<string, object?>[] Out { get; }
}
