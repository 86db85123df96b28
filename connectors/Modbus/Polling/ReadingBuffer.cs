using System.Runtime.InteropServices;
using IotGateway.Sdk.Data;

namespace IotGateway.Connectors.Modbus.Polling;

/// <summary>
/// Where pollers put readings and the runtime takes them, all that wait at once. Lists are used again after they are durable,
/// so that a reading allocates nothing. When the log is slow it fills, and pollers stop asking devices until there is room.
/// </summary>
/// <remarks>Any number of putters, one taker. Thread-safe.</remarks>
internal sealed class ReadingBuffer(int capacity) : IDisposable
{
    readonly Lock _gate = new();
    readonly SemaphoreSlim _ready = new(0);
    readonly Stack<List<Reading>> _spare = new();
    List<Reading> _filling = [];
    Exception? _error;

    /// <summary>Whether pollers should wait.</summary>
    public bool IsFull
    {
        get
        {
            lock (_gate) return _filling.Count >= capacity;
        }
    }

    /// <summary>Puts readings; they are copied. Never refuses: a poller asks <see cref="IsFull"/> before it polls.</summary>
    public void Put(List<Reading> readings)
    {
        if (readings.Count == 0) return;
        bool first;
        lock (_gate)
        {
            first = _filling.Count == 0 && _error is null;
            _filling.AddRange(CollectionsMarshal.AsSpan(readings));
        }
        if (first) _ready.Release();
    }

    /// <summary>Makes the taker throw.</summary>
    public void Fail(Exception error)
    {
        lock (_gate)
        {
            if (_error is not null) return;
            _error = error;
        }
        _ready.Release();
    }

    /// <summary>Waits for readings and takes all. Give the list back with <see cref="Return"/>.</summary>
    public async ValueTask<List<Reading>> TakeAsync(CancellationToken ct)
    {
        await _ready.WaitAsync(ct).ConfigureAwait(false);
        lock (_gate)
        {
            if (_error is not null) throw new IOException("Polling stopped: " + _error.Message, _error);
            var full = _filling;
            _filling = _spare.TryPop(out var spare) ? spare : [];
            return full;
        }
    }

    /// <summary>Gives a list back once nobody reads it any more.</summary>
    public void Return(List<Reading> list)
    {
        list.Clear();
        lock (_gate)
        {
            if (_spare.Count < 8) _spare.Push(list);
        }
    }

    /// <summary>Ends it; nobody may be waiting.</summary>
    public void Dispose() => _ready.Dispose();
}
