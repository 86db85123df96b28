namespace IotGateway.Connect.Commands;

/// <summary>Commands in single file per device, side by side across devices. Bounded per device. Thread-safe.</summary>
sealed class DeviceLanes
{
    const int MaxWaiting = 100;
    readonly Lock _lock = new();
    readonly Dictionary<(string Connector, string Device), Lane> _lanes = [];

    /// <summary>Commands waiting or running in all lanes together.</summary>
    public int Count
    {
        get
        {
            lock (_lock) return _lanes.Values.Sum(l => l.Waiting);
        }
    }

    /// <summary>Runs the work when all that came before for the device is done. False: the lane is full.</summary>
    /// <param name="connector">With <paramref name="device"/>: the lane.</param>
    /// <param name="device">The device.</param>
    /// <param name="tag">What is written.</param>
    /// <param name="real">Takes the place of older ones for the tag that wait for their device; a dry run does not.</param>
    /// <param name="work">What to run.</param>
    public bool TryEnter(string connector, string device, string tag, bool real, Func<Place, Task> work)
    {
        lock (_lock)
        {
            var key = (connector, device);
            if (!_lanes.TryGetValue(key, out var lane)) _lanes[key] = lane = new();
            if (lane.Waiting >= MaxWaiting) return false;
            lane.Waiting++;
            var place = real ? lane.Enter(tag) : new(tag);
            lane.Tail = RunAsync(lane.Tail, key, lane, place, work);
            return true;
        }
    }

    async Task RunAsync(Task before, (string, string) key, Lane lane, Place place, Func<Place, Task> work)
    {
        await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ForceYielding);
        try
        {
            await work(place).ConfigureAwait(false);
        }
        finally
        {
            lock (_lock)
            {
                lane.Leave(place);
                if (--lane.Waiting == 0) _lanes.Remove(key);
            }
        }
    }

    sealed class Lane
    {
        readonly Dictionary<string, Place> _newest = new(StringComparer.Ordinal);
        public int Waiting { get; set; }
        public Task Tail { get; set; } = Task.CompletedTask;

        public Place Enter(string tag)
        {
            if (_newest.TryGetValue(tag, out var older)) older.Supersede();
            return _newest[tag] = new(tag);
        }

        public void Leave(Place place)
        {
            if (ReferenceEquals(_newest.GetValueOrDefault(place.Tag), place)) _newest.Remove(place.Tag);
        }
    }

    /// <summary>A command's place in its lane.</summary>
    public sealed class Place(string tag)
    {
        readonly TaskCompletionSource _superseded = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public string Tag => tag;

        /// <summary>Completes when a newer command for the same tag has come; matters only to one that waits for its device.</summary>
        public Task Superseded => _superseded.Task;

        public void Supersede() => _superseded.TrySetResult();
    }
}
