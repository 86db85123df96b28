namespace IotGateway.Broker.Server;

/// <summary>
/// Lets one log line per key and minute pass and counts the others, so that a broken client in a retry loop does not fill the disk.
/// Thread-safe.
/// </summary>
internal sealed class LogThrottle(TimeProvider time)
{
    const int MostKeys = 1000;
    static readonly TimeSpan Pause = TimeSpan.FromMinutes(1);
    readonly Dictionary<string, (long Last, int Withheld)> _keys = [];
    readonly Lock _lock = new();

    /// <summary>Whether this one may pass, and how many of its key did not since the last that did.</summary>
    public bool Allows(string key, out int withheld)
    {
        lock (_lock)
        {
            var known = _keys.TryGetValue(key, out var state);
            withheld = state.Withheld;
            if (known && time.GetElapsedTime(state.Last) < Pause)
            {
                _keys[key] = (state.Last, withheld + 1);
                return false;
            }
            if (_keys.Count >= MostKeys) _keys.Clear();
            _keys[key] = (time.GetTimestamp(), 0);
            return true;
        }
    }
}
