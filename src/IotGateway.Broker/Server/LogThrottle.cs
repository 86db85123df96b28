namespace IotGateway.Broker.Server;

/// <summary>Lets one log line per key and minute pass, so that a broken client in a retry loop does not fill the disk. Thread-safe.</summary>
internal sealed class LogThrottle(TimeProvider time)
{
    const int MostKeys = 1000;
    static readonly TimeSpan Pause = TimeSpan.FromMinutes(1);
    readonly Dictionary<string, long> _last = [];
    readonly Lock _lock = new();

    public bool Allows(string key)
    {
        lock (_lock)
        {
            if (_last.TryGetValue(key, out var last) && time.GetElapsedTime(last) < Pause) return false;
            if (_last.Count >= MostKeys) _last.Clear();
            _last[key] = time.GetTimestamp();
            return true;
        }
    }
}
