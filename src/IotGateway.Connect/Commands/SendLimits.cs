using IotGateway.Sdk.Config;

namespace IotGateway.Connect.Commands;

/// <summary>How often each tag was written lately. In memory: after a restart the count begins anew. Thread-safe.</summary>
sealed class SendLimits(TimeProvider time)
{
    readonly Lock _lock = new();
    readonly Dictionary<(string Device, string Tag), Queue<long>> _sent = [];

    /// <summary>Whether the rate allows one more write, which is then counted unless nothing will be sent.</summary>
    public bool Allows(string device, string tag, Rate rate, bool count)
    {
        lock (_lock)
        {
            if (!_sent.TryGetValue((device, tag), out var times)) _sent[(device, tag)] = times = [];
            while (times.TryPeek(out var first) && time.GetElapsedTime(first) >= rate.Per) times.Dequeue();
            if (times.Count >= rate.Count) return false;
            if (count) times.Enqueue(time.GetTimestamp());
            return true;
        }
    }
}
