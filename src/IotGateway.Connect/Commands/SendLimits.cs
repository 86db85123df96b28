using IotGateway.Sdk.Config;

namespace IotGateway.Connect.Commands;

/// <summary>How often each tag was written lately. In memory: after a restart the count begins anew. Thread-safe.</summary>
sealed class SendLimits(TimeProvider time)
{
    readonly Lock _lock = new();
    readonly Dictionary<(string Device, string Tag), Queue<long>> _sent = [];

    /// <summary>Counts one more write if the rate allows it.</summary>
    public bool TryCount(string device, string tag, Rate rate)
    {
        lock (_lock)
        {
            if (!_sent.TryGetValue((device, tag), out var times)) _sent[(device, tag)] = times = [];
            while (times.TryPeek(out var first) && time.GetElapsedTime(first) >= rate.Per) times.Dequeue();
            if (times.Count >= rate.Count) return false;
            times.Enqueue(time.GetTimestamp());
            return true;
        }
    }
}
