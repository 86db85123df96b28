using System.Diagnostics.Metrics;

namespace IotGateway.Broker.Tests.Server;

/// <summary>Sums of one broker's counters, as <c>instrument/tag value</c>, and a way to wait for one.</summary>
sealed class TestMeters : IMeterFactory
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    readonly MeterListener _listener = new();
    readonly Dictionary<string, long> _sums = [];
    readonly Dictionary<string, long> _peaks = [];
    readonly List<(string Key, long Least, TaskCompletionSource Reached)> _waiting = [];
    readonly Lock _lock = new();

    public TestMeters()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Scope == this) listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add($"{instrument.Name}/{(tags.Length > 0 ? tags[0].Value : "")}", value));
        _listener.Start();
    }

    public long this[string key]
    {
        get { lock (_lock) return _sums.GetValueOrDefault(key); }
    }

    /// <summary>The highest the sum has been.</summary>
    public long Peak(string key)
    {
        lock (_lock) return _peaks.GetValueOrDefault(key);
    }

    public Meter Create(MeterOptions options) => new(new MeterOptions(options.Name) { Scope = this });

    public Task WaitForAsync(string key, long least)
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            if (_sums.GetValueOrDefault(key) >= least) return Task.CompletedTask;
            _waiting.Add((key, least, reached));
        }
        return reached.Task.WaitAsync(Patience, TimeProvider.System);
    }

    /// <summary>An observed figure as it is now.</summary>
    public long Observe(string key)
    {
        lock (_lock) _sums.Remove(key);
        _listener.RecordObservableInstruments();
        return this[key];
    }

    public void Dispose() => _listener.Dispose();

    void Add(string key, long value)
    {
        lock (_lock)
        {
            var sum = _sums[key] = _sums.GetValueOrDefault(key) + value;
            _peaks[key] = Math.Max(sum, _peaks.GetValueOrDefault(key));
            foreach (var waiter in _waiting)
                if (waiter.Key == key && sum >= waiter.Least) waiter.Reached.TrySetResult();
        }
    }
}
