using IotGateway.Connect.Records;
using IotGateway.Connect.Tasks;
using IotGateway.Sdk.Data;
using IotGateway.Sdk.Health;

namespace IotGateway.Connect.Health;

/// <summary>A device that was lost or came back.</summary>
/// <param name="Device">The device.</param>
/// <param name="Lost">True when nothing of it is captured any more.</param>
/// <param name="From">When a gap starts: its last good reading; MinValue when there was none.</param>
/// <param name="Reason">Short stable word.</param>
readonly record struct DeviceTurn(string Device, bool Lost, DateTime From, string Reason);

/// <summary>
/// Health of one connector's devices and tags, from the quality of their readings and from what the connector reports. Thread-safe;
/// changes worth telling are handed to <paramref name="tell"/> (only on change). <paramref name="gapOpen"/>: an earlier run left a gap of the device.
/// </summary>
sealed class PartBoard(TimeProvider time, Action<PartSnapshot> tell, Func<string, bool> gapOpen)
{
    readonly Lock _lock = new();
    readonly Dictionary<string, DeviceParts> _devices = new(StringComparer.Ordinal);
    readonly Dictionary<(string Device, string Tag), PartSnapshot> _failing = [];

    /// <summary>The device, made on first use.</summary>
    public DeviceParts Add(string device)
    {
        lock (_lock)
        {
            if (_devices.TryGetValue(device, out var parts)) return parts;
            return _devices[device] = new(device, time.GetUtcNow()) { GapOpen = gapOpen(device) };
        }
    }

    /// <summary>Adds an interned tag in place of an earlier one of that name, with what its last durable reading said.</summary>
    public void Add(Tag tag, TagSlot slot, Reading? last)
    {
        lock (_lock)
        {
            var device = slot.Device;
            if (device.Tags.TryGetValue(tag.Name, out var old)) RemoveBad(device, old);
            device.Tags[tag.Name] = tag;
            if (last is not { } reading) return;
            if (IsGood(reading)) device.LastGood = Later(device.LastGood, reading.GatewayTime);
            else MarkBad(slot, tag, reading);
        }
    }

    /// <summary>The readings without those that only say again that a tag is bad: connectors say it each poll, or anew after a restart, or when the runtime has said it already.</summary>
    public IReadOnlyList<Reading> News(IReadOnlyList<Reading> readings)
    {
        lock (_lock)
        {
            for (var i = 0; i < readings.Count; i++)
                if (Repeats(readings[i])) return [.. readings.Where(r => !Repeats(r))];
        }
        return readings;
        static bool Repeats(in Reading r) => !r.Backfill && r.Tag.Slot is TagSlot { Bad: true } slot && !IsGood(r) && slot.BadStatus == r.Status;
    }

    /// <summary>Takes note of readings on their way into the log. Returns devices that were lost or came back by them, or null.</summary>
    public List<DeviceTurn>? Seen(IReadOnlyList<Reading> readings)
    {
        List<DeviceTurn>? turns = null;
        lock (_lock)
        {
            for (var i = 0; i < readings.Count; i++)
            {
                var reading = readings[i];
                if (reading.Backfill) continue;
                var slot = (TagSlot)reading.Tag.Slot!;
                var good = IsGood(reading);
                var before = slot.Device.Lost;
                var turned = Note(slot, reading, good);
                if (turned && Told(slot.Device, before) is { } turn) (turns ??= []).Add(turn);
            }
        }
        return turns;
    }

    /// <summary>Takes note of a connector's report. Returns the device's turn, if it is one.</summary>
    public DeviceTurn? Report(in PartHealth health)
    {
        lock (_lock)
        {
            if (health.Tag is { } tag)
            {
                var key = (health.Device, tag);
                var known = _failing.TryGetValue(key, out var was);
                if (health.State is PartState.Ok or PartState.Disabled)
                {
                    if (known) Forget(key);
                }
                else if (!known || was!.State != health.State || was.Code != health.Code)
                    Fail(new(health.Device, tag, health.State, health.Code, health.Reason, time.GetUtcNow(), health.NextTry));
                return null;
            }
            var device = Add(health.Device);
            var before = device.Lost;
            device.Reported = health;
            return Told(device, before);
        }
    }

    /// <summary>The tags of a device that have to be told bad because it is lost now; marks them so. Empty when it is back already.</summary>
    public IReadOnlyList<Tag> TakeLost(string device, string status)
    {
        lock (_lock)
            return _devices.TryGetValue(device, out var parts) && parts.Lost ? TakeGood(parts, status) : [];
    }

    /// <summary>Tags of all devices that are not bad yet; marks them so: the connector itself was lost.</summary>
    public IReadOnlyList<Tag> TakeAll(Func<string, bool> ofDevice, string status)
    {
        lock (_lock) return [.. _devices.Values.Where(d => ofDevice(d.Name) && d.Reported.State != PartState.Disabled).SelectMany(d => TakeGood(d, status))];
    }

    /// <summary>Marks whether a gap of the device is open.</summary>
    public void SetGap(string device, bool open)
    {
        lock (_lock) Add(device).GapOpen = open;
    }

    public IReadOnlyList<PartSnapshot> Devices()
    {
        lock (_lock) return [.. _devices.Values.OrderBy(d => d.Name, StringComparer.Ordinal).Select(Picture)];
    }

    public IReadOnlyList<PartSnapshot> FailingTags()
    {
        lock (_lock) return [.. _failing.Values.OrderBy(t => t.Device, StringComparer.Ordinal).ThenBy(t => t.Tag, StringComparer.Ordinal)];
    }

    /// <summary>State of a device; Ok when it is not known.</summary>
    public PartState StateOf(string device)
    {
        lock (_lock) return _devices.TryGetValue(device, out var parts) ? parts.State : PartState.Ok;
    }

    /// <summary>Tags known of a device, for reading last values.</summary>
    public IReadOnlyList<Tag> Tags()
    {
        lock (_lock) return [.. _devices.Values.SelectMany(d => d.Tags.Values)];
    }

    static bool IsGood(in Reading reading) => reading.Quality != Quality.Bad && !reading.Value.IsNone && reading.Value.IsFinite;

    // True when something changed that may be worth telling.
    bool Note(TagSlot slot, in Reading reading, bool good)
    {
        var device = slot.Device;
        if (!good)
        {
            device.LastStatus = reading.Status;
            if (slot.Bad)
            {
                slot.BadStatus = reading.Status;
                return false;
            }
            MarkBad(slot, reading.Tag, reading);
            return true;
        }
        device.LastGood = Later(device.LastGood, reading.GatewayTime);
        // A good reading is better evidence than an old report of the whole device.
        var revived = DeviceParts.IsLost(device.Reported.State);
        if (revived) device.Reported = device.Reported with { State = PartState.Ok, Code = null, Reason = null, NextTry = null };
        if (slot.Bad)
        {
            slot.Bad = false;
            device.Bad--;
            Forget((device.Name, reading.Tag.Name));
            return true;
        }
        return revived || device.GapOpen;
    }

    void MarkBad(TagSlot slot, Tag tag, in Reading reading)
    {
        if (slot.Bad) return;
        (slot.Bad, slot.BadStatus) = (true, reading.Status);
        slot.Device.Bad++;
        slot.Device.LastStatus = reading.Status;
        Fail(new(tag.Device, tag.Name, PartState.Down, reading.Status, null, new(reading.GatewayTime, TimeSpan.Zero), null));
    }

    void RemoveBad(DeviceParts device, Tag old)
    {
        if (old.Slot is not TagSlot { Bad: true }) return;
        device.Bad--;
        _failing.Remove((old.Device, old.Name));
    }

    DeviceTurn? Told(DeviceParts device, bool wasLost)
    {
        var state = device.State;
        if (state != device.Told)
        {
            device.Told = state;
            device.Since = time.GetUtcNow();
            tell(Picture(device));
        }
        if (device.Lost == wasLost && !(device.GapOpen && !device.Lost)) return null;
        return new(device.Name, device.Lost, device.LastGood, device.Reported.Code ?? (device.Reported.State != PartState.Ok ? "device-unreachable" : device.LastStatus ?? "device-unreachable"));
    }

    static List<Tag> TakeGood(DeviceParts device, string status)
    {
        var taken = new List<Tag>();
        foreach (var tag in device.Tags.Values)
        {
            if (tag.Slot is not TagSlot { Bad: false } slot) continue;
            // Not listed as failing: the device's own state says it, once.
            (slot.Bad, slot.BadStatus) = (true, status);
            device.Bad++;
            taken.Add(tag);
        }
        return taken;
    }

    void Fail(PartSnapshot part)
    {
        _failing[(part.Device, part.Tag!)] = part;
        tell(part);
    }

    void Forget((string Device, string Tag) key)
    {
        if (_failing.Remove(key, out var was)) tell(was with { State = PartState.Ok, Code = null, Reason = null, Since = time.GetUtcNow(), NextTry = null });
    }

    PartSnapshot Picture(DeviceParts device)
        => new(device.Name, null, device.State, device.Reported.Code ?? (device.State == PartState.Ok ? null : device.LastStatus), device.Reported.Reason, device.Since, device.Reported.NextTry);

    static DateTime Later(DateTime a, DateTime b) => a > b ? a : b;
}
