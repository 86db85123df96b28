using System.Collections.Immutable;
using IotGateway.Sdk.Data;

namespace IotGateway.Connect.Tasks;

/// <summary>
/// Durable readings of single tags, for whoever waits for a command's effect. Costs a look at an empty list per batch while nobody
/// waits. Thread-safe; watchers are called on a confirming thread and must be quick.
/// </summary>
sealed class LiveReadings
{
    ImmutableList<Watcher> _watchers = [];

    /// <summary>Calls <paramref name="seen"/> for each reading of the tag until the result is disposed.</summary>
    public IDisposable Watch(string device, string tag, Action<Reading> seen)
    {
        var watcher = new Watcher(this, device, tag, seen);
        ImmutableInterlocked.Update(ref _watchers, static (all, one) => all.Add(one), watcher);
        return watcher;
    }

    /// <summary>Tells the watchers.</summary>
    public void Publish(IReadOnlyList<Reading> readings)
    {
        var watchers = Volatile.Read(ref _watchers);
        if (watchers.IsEmpty) return;
        for (var i = 0; i < readings.Count; i++)
            foreach (var watcher in watchers)
                if (readings[i].Tag.Name == watcher.Tag && readings[i].Tag.Device == watcher.Device) watcher.Seen(readings[i]);
    }

    sealed record Watcher(LiveReadings All, string Device, string Tag, Action<Reading> Seen) : IDisposable
    {
        public void Dispose() => ImmutableInterlocked.Update(ref All._watchers, static (all, one) => all.RemoveAll(w => ReferenceEquals(w, one)), this);
    }
}
