namespace IotGateway.Log.Disk;

/// <summary>
/// Open files by path, at most <paramref name="capacity"/> besides those in use; the longest unused goes first. Thread-safe. Closing loses
/// nothing: what was written is in the page cache and is synced through a new handle later.
/// </summary>
sealed class FileCache(IDisk disk, int capacity) : IDisposable
{
    readonly Lock _gate = new();
    readonly Dictionary<string, Entry> _open = [];
    readonly LinkedList<Entry> _idle = [];

    /// <summary>An open file until the lease is disposed of.</summary>
    public Lease Rent(string path, bool create)
    {
        lock (_gate)
        {
            if (_open.TryGetValue(path, out var entry))
            {
                if (entry.Users++ == 0) _idle.Remove(entry.Node);
                return new(this, entry);
            }
            entry = new(path, disk.Open(path, create)) { Users = 1 };
            _open.Add(path, entry);
            return new(this, entry);
        }
    }

    /// <summary>Closes files of a directory that goes away, those in use as soon as they are given back.</summary>
    public void Forget(string prefix)
    {
        lock (_gate)
        {
            foreach (var entry in _open.Values.Where(e => e.Path.StartsWith(prefix, StringComparison.Ordinal)).ToList())
            {
                _open.Remove(entry.Path);
                entry.Forgotten = true;
                if (entry.Users == 0) Close(entry);
            }
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            foreach (var entry in _open.Values) entry.File.Dispose();
            _open.Clear();
            _idle.Clear();
        }
    }

    void Return(Entry entry)
    {
        lock (_gate)
        {
            if (--entry.Users > 0) return;
            if (entry.Forgotten)
            {
                entry.File.Dispose();
                return;
            }
            _idle.AddLast(entry.Node);
            while (_idle.Count > capacity)
            {
                var oldest = _idle.First!.Value;
                _open.Remove(oldest.Path);
                Close(oldest);
            }
        }
    }

    void Close(Entry entry)
    {
        _idle.Remove(entry.Node);
        entry.File.Dispose();
    }

    internal sealed class Entry
    {
        public Entry(string path, IDiskFile file)
        {
            (Path, File) = (path, file);
            Node = new(this);
        }

        public string Path { get; }
        public IDiskFile File { get; }
        public LinkedListNode<Entry> Node { get; }
        public int Users { get; set; }
        public bool Forgotten { get; set; }
    }

    /// <summary>The right to use a file.</summary>
    internal readonly struct Lease(FileCache cache, Entry entry) : IDisposable
    {
        public IDiskFile File => entry.File;

        public void Dispose() => cache.Return(entry);
    }
}
