namespace IotGateway.Log.Disk;

/// <summary>
/// Open files by path, at most <paramref name="capacity"/> besides those in use; the longest unused goes first. Thread-safe; files are opened and closed
/// outside the lock, so that a slow disk holds up only who wants what it is opening. Closing loses nothing: what was written is in the page cache and is
/// synced through a new handle later.
/// </summary>
sealed class FileCache(IDisk disk, int capacity) : IDisposable
{
    readonly Lock _gate = new();
    readonly Dictionary<string, Entry> _open = [];
    readonly LinkedList<Entry> _idle = [];
    int _capacity = capacity;

    /// <summary>An open file until the lease is disposed of. Who comes while it is being opened waits for that one open, and fails with it.</summary>
    /// <exception cref="DiskException">It cannot be opened; the next call tries again.</exception>
    public Lease Rent(string path, bool create)
    {
        while (true)
        {
            var entry = Take(path, create);
            try
            {
                _ = entry.File;
                return new(this, entry);
            }
            catch
            {
                Drop(entry);
                // Who only looks for a file and who makes it fail for different reasons: each has to see its own.
                if (entry.Create == create) throw;
            }
        }
    }

    /// <summary>Closes files of a directory that goes away, those in use or being opened as soon as they are given back. From now on they are opened anew.</summary>
    public void Forget(string prefix)
    {
        List<Entry> unused = [];
        lock (_gate)
        {
            foreach (var entry in _open.Values.Where(e => e.Path.StartsWith(prefix, StringComparison.Ordinal)).ToList())
            {
                _open.Remove(entry.Path);
                entry.Forgotten = true;
                if (entry.Users > 0) continue;
                _idle.Remove(entry.Node);
                unused.Add(entry);
            }
        }
        foreach (var entry in unused) entry.File.Dispose();
    }

    /// <summary>Closes all files, those in use, and those of late comers, as soon as they are given back.</summary>
    public void Dispose()
    {
        lock (_gate) _capacity = 0;
        Forget("");
    }

    Entry Take(string path, bool create)
    {
        lock (_gate)
        {
            if (!_open.TryGetValue(path, out var entry)) _open.Add(path, entry = new(disk, path, create));
            else if (entry.Users == 0) _idle.Remove(entry.Node);
            entry.Users++;
            return entry;
        }
    }

    void Drop(Entry failed)
    {
        lock (_gate)
            if (_open.GetValueOrDefault(failed.Path) == failed) _open.Remove(failed.Path);
    }

    void Return(Entry entry)
    {
        lock (_gate)
        {
            if (--entry.Users > 0) return;
            if (!entry.Forgotten)
            {
                _idle.AddLast(entry.Node);
                if (_idle.Count <= _capacity) return;
                entry = _idle.First!.Value;
                _idle.RemoveFirst();
                _open.Remove(entry.Path);
            }
        }
        entry.File.Dispose();
    }

    internal sealed class Entry
    {
        readonly Lazy<IDiskFile> _file;

        public Entry(IDisk disk, string path, bool create)
        {
            (Path, Create) = (path, create);
            _file = new(() => disk.Open(path, create));
            Node = new(this);
        }

        public string Path { get; }
        public bool Create { get; }
        public LinkedListNode<Entry> Node { get; }
        public int Users { get; set; }
        public bool Forgotten { get; set; }

        /// <summary>Opened by the first who asks; others wait, and get the file or the failure too. Never asked for under the lock.</summary>
        public IDiskFile File => _file.Value;
    }

    /// <summary>The right to use a file.</summary>
    internal readonly struct Lease(FileCache cache, Entry entry) : IDisposable
    {
        public IDiskFile File => entry.File;

        public void Dispose() => cache.Return(entry);
    }
}
