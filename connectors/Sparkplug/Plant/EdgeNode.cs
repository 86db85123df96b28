using IotGateway.Connectors.Sparkplug.Wire;
using IotGateway.Sdk;
using IotGateway.Sdk.Data;
using IotGateway.Sdk.Health;

namespace IotGateway.Connectors.Sparkplug.Plant;

/// <summary>
/// One edge node with its devices (Sparkplug 3.0 §5 and §6): births define metrics, data follow in sequence, deaths make stale. Whatever
/// breaks that order (a missing number, data before a birth, an alias no birth has named) opens a gap, which the rebirth asked for closes.
/// Until then a value found by its alias is uncertain: the birth that was missed may have given the alias to another metric. One thread.
/// </summary>
sealed class EdgeNode
{
    const int MostRefused = 100;

    readonly PlantRules _rules;
    readonly Sequence _sequence = new();
    readonly Dictionary<string, PlantDevice> _devices = new(StringComparer.Ordinal);
    readonly OpenGap _gap;
    readonly HashSet<string> _refused = new(StringComparer.Ordinal);
    ulong? _session; // bdSeq of the birth in force
    DateTime _lastSeen;
    bool _overflowed; // since its birth: the numbers that are missing are known to be, and counted

    /// <param name="key">Which.</param>
    /// <param name="name">Its name in the gateway.</param>
    /// <param name="rules">What all have in common.</param>
    /// <param name="openGap">Reason of the gap an earlier run left open; empty for none, null for an edge node never met before.</param>
    public EdgeNode(EdgeKey key, string name, PlantRules rules, string? openGap)
    {
        (Key, _rules) = (key, rules);
        Node = new(null, name);
        Rebirth = new(rules.RebirthPause, rules.RebirthMaxPause, rules.Context.Time);
        _gap = new(key, name, rules, openGap);
        if (openGap is not null) (Node.IsRestored, Node.BirthDue) = (true, DueIn(PlantRules.RestoredBirthTime));
    }

    public EdgeKey Key { get; }

    /// <summary>The edge node as a device: it has metrics of its own.</summary>
    public PlantDevice Node { get; }

    public IReadOnlyCollection<PlantDevice> Devices => _devices.Values;

    public bool Alive => Node.Alive;

    /// <summary>Something is missing since its birth: an alias may mean another metric by now.</summary>
    public bool IsDoubtful => _gap.Reason is not null;

    public RebirthPlan Rebirth { get; }

    public PlantDevice? Find(string? device) => device is null ? Node : _devices.GetValueOrDefault(device);

    /// <summary>A device an earlier run knew.</summary>
    public void Restore(string device, string name) => _devices[device] = new(device, name) { IsRestored = true };

    /// <summary>Takes a message.</summary>
    public void Apply(Message message, PlantOutput output)
    {
        if (message.Topic.Kind == MessageKind.NodeBirth) Birth(message, output);
        else if (message.Topic.Kind == MessageKind.NodeDeath) Death(message, output);
        else if (!Alive) Break("no-birth", message.Received, 1, output);
        else if (!message.Payload.HasSeq) output.Poison(message, "The payload has no sequence number.");
        else Order(message, output);
    }

    /// <summary>Messages of it were dropped for want of room; to be told before those that came after them.</summary>
    public void Overflow(long messages, PlantOutput output)
    {
        GiveUp(output);
        Break("overflow", _lastSeen == default ? Now : _lastSeen, messages, output);
        _overflowed = true;
    }

    /// <summary>What is due: a message missing for too long, devices whose birth did not follow.</summary>
    public void Tick(PlantOutput output)
    {
        var time = _rules.Context.Time;
        if (_sequence.Held > 0 && time.GetElapsedTime(_sequence.HeldSince) >= _rules.ReorderTimeout) GiveUp(output);
        if (Node.BirthDue is { } birth && time.GetTimestamp() >= birth)
            foreach (var device in _devices.Values.Prepend(Node)) Absent(device);
        foreach (var device in _devices.Values)
            if (device.BirthDue is { } due && time.GetTimestamp() >= due)
            {
                if (device.IsRestored) Absent(device);
                Stale(device, "sparkplug:no-birth", Now, output);
                // Whether it comes back nobody knows: a later run does not wait for it.
                output.Add(new StateChange(StateKey(device.Id!), null));
            }
    }

    // Known from an earlier run only: there are no metrics to mark.
    void Absent(PlantDevice device)
    {
        device.BirthDue = null;
        if (device.IsRestored) _rules.Context.Report(new(device.Name, null, PartState.Stale, "sparkplug:no-birth", $"Edge node '{Key}' has not been born since the gateway started, though it was asked to be.", null));
    }

    string StateKey(string device) => $"{PlantRules.DevicePrefix}{Key}/{device}";

    long DueIn(TimeSpan time) => _rules.Context.Time.GetTimestamp() + (long)(time.TotalSeconds * _rules.Context.Time.TimestampFrequency);

    DateTime Now => _rules.Context.Time.GetUtcNow().UtcDateTime;

    void Order(Message message, PlantOutput output)
    {
        if (_overflowed)
        {
            _sequence.Resume(message);
            Process(message, output);
            return;
        }
        switch (_sequence.Take(message, _rules.Context.Time.GetTimestamp()))
        {
            case SequenceStep.InPlace:
                Process(message, output);
                while (_sequence.TryNext(out var next)) Process(next, output);
                break;
            case SequenceStep.Held when !IsDoubtful:
                break;
            case SequenceStep.Held: // what is missing has been asked for by the rebirth already: no use in waiting
                GiveUp(output);
                break;
            case SequenceStep.Missing:
                GiveUp(output);
                Break("sequence-gap", _lastSeen, _sequence.Resume(message), output);
                Process(message, output);
                break;
            default:
                Break("sequence-gap", _lastSeen, 1, output);
                break;
        }
    }

    // What is held is taken without what is missing.
    void GiveUp(PlantOutput output)
    {
        while (_sequence.Held > 0)
        {
            if (_sequence.Skip() is > 0 and var missing) Break("sequence-gap", _lastSeen, missing, output);
            while (_sequence.TryNext(out var next)) Process(next, output);
        }
    }

    void Process(Message message, PlantOutput output)
    {
        _lastSeen = message.Received;
        var id = message.Topic.Device;
        switch (message.Topic.Kind)
        {
            case MessageKind.NodeData:
                Data(Node, message, output);
                break;
            case MessageKind.DeviceBirth:
                DeviceBirth(id!, message, output);
                break;
            case MessageKind.DeviceData when _devices.GetValueOrDefault(id!) is { Alive: true } device:
                Data(device, message, output);
                break;
            case MessageKind.DeviceData when !_refused.Contains(id!):
                Break("no-birth", message.Received, 1, output);
                break;
            case MessageKind.DeviceDeath when _devices.GetValueOrDefault(id!) is { } device:
                Stale(device, "sparkplug:ddeath", message.Received, output);
                break;
        }
    }

    void Birth(Message message, PlantOutput output)
    {
        if (!message.Payload.HasSeq)
        {
            output.Poison(message, "The birth has no sequence number.");
            return;
        }
        foreach (var before in _sequence.Begin((int)message.Payload.Seq, message.Payload.HasTimestamp ? message.Payload.Timestamp : null))
        {
            Break("sequence-gap", _lastSeen, 0, output);
            Process(before, output);
        }
        _session = Session(message.Payload);
        _gap.Close(message.Received, output);
        _overflowed = false;
        _lastSeen = message.Received;
        Rebirth.Born();
        output.Born.Add(Key);
        foreach (var device in _devices.Values)
            if (device.Alive || device.IsRestored) (device.Alive, device.BirthDue) = (false, DueIn(PlantRules.DeviceBirthTime));
        Define(Node, message, output);
        while (_sequence.TryNext(out var next)) Process(next, output);
    }

    void DeviceBirth(string id, Message message, PlantOutput output)
    {
        if (_devices.GetValueOrDefault(id) is not { } device)
        {
            if (_refused.Contains(id)) return;
            string? error = null;
            var name = _devices.Count + _refused.Count < PlantRules.MostDevices ? _rules.Names.Take(Key, id, out error) : null;
            if (name is null)
            {
                if (error is not null && _refused.Count < MostRefused) _refused.Add(id);
                output.Poison(message, error ?? $"Edge node '{Key}' has more than {PlantRules.MostDevices} devices.");
                return;
            }
            _devices[id] = device = new(id, name);
            output.Add(new StateChange(StateKey(id), Array.Empty<byte>()));
        }
        Define(device, message, output);
    }

    // A death that is not of the session in force is that of an earlier one, late (§6.4.20).
    void Death(Message message, PlantOutput output)
    {
        if (!Alive || Session(message.Payload) is { } session && _session is { } ours && session != ours) return;
        GiveUp(output);
        Rebirth.Cancel();
        Stale(Node, "sparkplug:ndeath", message.Received, output);
        foreach (var device in _devices.Values)
            if (device.Alive || device.BirthDue is not null) Stale(device, "sparkplug:ndeath", message.Received, output);
    }

    void Define(PlantDevice device, Message message, PlantOutput output)
    {
        var points = new List<MetricPoint>();
        var room = PackedArray.MostElements;
        string? error = null;
        foreach (var metric in message.Payload.Metrics)
        {
            try
            {
                if (_rules.Points.Define(device, metric) is not { } point) continue;
                points.Add(point);
                if (point.Tag is not { } tag) continue;
                var reading = PointReader.Read(tag, point.Type, metric, message, null, ref room, out var wrong);
                error ??= wrong;
                if (!IsResent(reading)) output.Add(reading);
            }
            catch (PayloadException e)
            {
                error ??= e.Message;
            }
            catch (PermanentException e)
            {
                error ??= e.Message; // another connector has a device of that name: that is no reason to give up the others
            }
        }
        var admitted = _rules.Points.Admit(device.Points.Count, points.Count);
        if (admitted < points.Count)
        {
            error ??= "There are too many metrics in all.";
            points.RemoveRange(admitted, points.Count - admitted);
        }
        foreach (var gone in device.Define(points)) output.Add(Reading.Bad(gone, "sparkplug:not-in-birth", message.Received));
        if (device.IsRestored) _rules.Context.Report(new(device.Name, null, PartState.Ok, null, null, null)); // what is stored already is not written again and cannot say so
        (device.Alive, device.BirthDue, device.IsRestored) = (true, null, false);
        if (error is not null) output.Poison(message, error);
    }

    // A rebirth says everything again; what was stored with that value and that time of the source is no news.
    bool IsResent(in Reading reading)
        => reading.SourceTime != DateTime.MinValue && _rules.Context.TryGetLast(reading.Tag, out var last) && last.SourceTime == reading.SourceTime
            && last.Quality == reading.Quality && last.Value == reading.Value;

    void Data(PlantDevice device, Message message, PlantOutput output)
    {
        var room = PackedArray.MostElements;
        var unknown = 0;
        string? error = null;
        var doubt = IsDoubtful ? "sparkplug:" + _gap.Reason : null;
        foreach (var metric in message.Payload.Metrics)
        {
            if (device.Find(metric) is not { } point) unknown++;
            else if (point.Tag is { } tag)
            {
                output.Add(PointReader.Read(tag, point.Type, metric, message, metric.HasName ? null : doubt, ref room, out var wrong));
                error ??= wrong;
            }
        }
        if (error is not null) output.Poison(message, error);
        if (unknown > 0) Break("unknown-metric", message.Received, 1, output);
    }

    static void Stale(PlantDevice device, string status, DateTime at, PlantOutput output)
    {
        (device.Alive, device.BirthDue) = (false, null);
        foreach (var point in device.Points)
            if (point.Tag is { } tag) output.Add(Reading.Bad(tag, status, at));
    }

    void Break(string reason, DateTime from, long lost, PlantOutput output)
    {
        Rebirth.Want();
        _gap.Open(reason, from, lost, output);
    }

    static ulong? Session(Payload payload)
    {
        foreach (var metric in payload.Metrics)
            if (metric.Name == PointReader.BirthDeathSequence && Scalar.Of(metric) is { Kind: ScalarKind.Int or ScalarKind.Long } value) return value.Bits;
        return null;
    }
}
