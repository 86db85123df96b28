namespace IotGateway.Log.Commit;

/// <summary>A bounded queue between two dedicated threads. Closing lets the reader drain what is there.</summary>
sealed class Mailbox<T>(int capacity)
{
    readonly object _gate = new();
    readonly Queue<T> _items = [];
    bool _closed;

    /// <summary>Waits for room; false when the reader is gone.</summary>
    public bool Post(T item)
    {
        lock (_gate)
        {
            while (_items.Count >= capacity && !_closed) Monitor.Wait(_gate);
            if (_closed) return false;
            _items.Enqueue(item);
            Monitor.PulseAll(_gate);
            return true;
        }
    }

    /// <summary>Waits for an item; false after closing, when none is left.</summary>
    public bool Take(out T item)
    {
        lock (_gate)
        {
            while (_items.Count == 0 && !_closed) Monitor.Wait(_gate);
            if (_items.TryDequeue(out item!))
            {
                Monitor.PulseAll(_gate);
                return true;
            }
            return false;
        }
    }

    public void Close()
    {
        lock (_gate)
        {
            _closed = true;
            Monitor.PulseAll(_gate);
        }
    }
}
