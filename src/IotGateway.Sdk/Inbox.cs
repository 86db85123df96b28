using System.Threading.Channels;

namespace IotGateway.Sdk;

/// <summary>
/// The bounded meeting point of a push protocol and the pulling runtime: the receive loop puts, <see cref="ISource.ReadAsync"/>
/// takes everything waiting. One taker; any number of putters.
/// </summary>
/// <param name="capacity">Most items held; at least 1.</param>
public sealed class Inbox<T>(int capacity)
{
    readonly Channel<T> _channel = Channel.CreateBounded<T>(new BoundedChannelOptions(capacity) { SingleReader = true });
    long _dropped;

    /// <summary>Items refused by <see cref="TryPut"/> since the start.</summary>
    public long Dropped => Volatile.Read(ref _dropped);

    /// <summary>Items waiting.</summary>
    public int Count => _channel.Reader.Count;

    /// <summary>Puts without waiting; a full inbox refuses and counts. For what may be lost (QoS 0).</summary>
    public bool TryPut(T item)
    {
        if (_channel.Writer.TryWrite(item)) return true;
        Interlocked.Increment(ref _dropped);
        return false;
    }

    /// <summary>Puts, waiting for room: the receive loop stops, and back-pressure reaches the peer.</summary>
    public ValueTask PutAsync(T item, CancellationToken ct) => _channel.Writer.WriteAsync(item, ct);

    /// <summary>No more items will come; with <paramref name="error"/>, the taker throws it once everything waiting is taken.</summary>
    public void Complete(Exception? error = null) => _channel.Writer.TryComplete(error);

    /// <summary>Waits for the first item, then takes all that wait, at most <paramref name="max"/>. Empty = completed.</summary>
    public async ValueTask<IReadOnlyList<T>> TakeAsync(int max, CancellationToken ct)
    {
        if (!await _channel.Reader.WaitToReadAsync(ct).ConfigureAwait(false)) return [];
        var items = new List<T>(Math.Min(max, Math.Max(1, _channel.Reader.Count)));
        while (items.Count < max && _channel.Reader.TryRead(out var item)) items.Add(item);
        return items;
    }
}
