using IotGateway.Connect.Health;

namespace IotGateway.Connect.Tasks;

/// <summary>
/// Devices that were reported lost or back, on their way into the log. Putting never waits; a device that turns again before its turn
/// is written replaces it, so memory is bounded by the number of devices. Thread-safe.
/// </summary>
sealed class TurnQueue(Func<DeviceTurn, Task> write, Action<Exception> failed)
{
    readonly Lock _lock = new();
    readonly Dictionary<string, DeviceTurn> _waiting = new(StringComparer.Ordinal);
    bool _writing;

    public void Put(DeviceTurn turn)
    {
        lock (_lock)
        {
            _waiting[turn.Device] = turn;
            if (_writing) return;
            _writing = true;
        }
        _ = Task.Run(WriteAllAsync);
    }

    async Task WriteAllAsync()
    {
        while (TryTake(out var turn))
        {
            try
            {
                await write(turn).ConfigureAwait(false);
            }
            catch (Exception e)
            {
                failed(e);
            }
        }
    }

    bool TryTake(out DeviceTurn turn)
    {
        lock (_lock)
        {
            foreach (var (device, next) in _waiting)
            {
                turn = next;
                return _waiting.Remove(device);
            }
            turn = default;
            return _writing = false;
        }
    }
}
