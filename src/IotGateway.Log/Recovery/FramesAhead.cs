using System.Buffers;
using IotGateway.Log.Wal;

namespace IotGateway.Log.Recovery;

/// <summary>
/// Frames on the way from the thread that reads and checks the write-ahead files to the one that replays: those that follow the checkpoint without a gap,
/// which count whatever is found behind them. A few MiB at most; who is ahead waits. One thread at each side.
/// </summary>
sealed class FramesAhead(long after)
{
    const int MostBytes = 8 << 20, MostPooled = 4 << 20, PooledEach = 64;

    readonly object _gate = new();
    readonly Queue<Frame> _frames = [];
    readonly ArrayPool<byte> _pool = ArrayPool<byte>.Create(MostPooled, PooledEach); // goes with the start
    long _last = after;
    int _bytes;
    bool _ended;

    /// <summary>Takes a copy of a frame, if it is the next; waits while enough are under way.</summary>
    public void Put(in FoundFrame found, ReadOnlySpan<byte> bytes)
    {
        if (found.Header.Sequence != _last + 1) return;
        lock (_gate)
            while (_bytes > 0 && _bytes + bytes.Length > MostBytes && !_ended) Monitor.Wait(_gate);
        if (Volatile.Read(ref _ended)) return;
        _last = found.Header.Sequence;
        var buffer = _pool.Rent(bytes.Length);
        bytes.CopyTo(buffer);
        lock (_gate)
        {
            _frames.Enqueue(new(found.Header, buffer));
            _bytes += bytes.Length;
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>Waits for the next frame; false when there are no more.</summary>
    public bool Take(out Frame frame)
    {
        lock (_gate)
        {
            while (!_frames.TryDequeue(out frame))
            {
                if (_ended) return false;
                Monitor.Wait(_gate);
            }
            _bytes -= frame.Header.Length;
            Monitor.Pulse(_gate);
            return true;
        }
    }

    /// <summary>Gives a frame's memory back.</summary>
    public void Return(in Frame frame) => _pool.Return(frame.Buffer);

    /// <summary>No more come, or none is wanted.</summary>
    public void End()
    {
        lock (_gate)
        {
            _ended = true;
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>A frame in memory that is another's after <see cref="Return"/>.</summary>
    internal readonly record struct Frame(FrameHeader Header, byte[] Buffer)
    {
        public ReadOnlyMemory<byte> Bytes => Buffer.AsMemory(0, Header.Length);
    }
}
