using IotGateway.Log.Disk;

namespace IotGateway.Log.Tests.Disk;

/// <summary>
/// A file system in memory with the power cut built in: what was not synced survives a <see cref="Crash"/> in any subset, torn at sectors; names
/// not synced survive as any prefix per directory. Any operation can be made to fail. Thread-safe.
/// </summary>
sealed class SimulatedDisk : IDisk
{
    readonly Lock _gate = new();
    SimulatedDirectory _root = new();
    readonly HashSet<string> _locked = [];
    long _operations;

    /// <summary>Operation (counted from the start) at which the power goes; every one from then on fails.</summary>
    public long PowerOffAt { get; set; } = long.MaxValue;

    /// <summary>May return a failure for an operation ("write", "sync", "open", …) on a path.</summary>
    public Func<string, string, DiskException?> Fault { get; set; } = (_, _) => null;

    /// <summary>Files whose syncs report success and lose what was written.</summary>
    public Func<string, bool> Drops { get; set; } = _ => false;

    /// <summary>Syncs report success and do nothing.</summary>
    public bool Lies { get; init; }

    public long Operations => Volatile.Read(ref _operations);
    public long Free { get; set; } = long.MaxValue;

    /// <summary>Size of the disk; when set, <see cref="Free"/> follows from it.</summary>
    public long Capacity { get; set; } = long.MaxValue;

    /// <summary>The disk as the next start finds it.</summary>
    public SimulatedDisk Crash(Random random)
    {
        lock (_gate) return new() { _root = _root.Survivor(random), Lies = Lies, Capacity = Capacity };
    }

    public IDiskFile Open(string path, bool create)
    {
        lock (_gate)
        {
            Step("open", path);
            var (directory, name) = Parent(path);
            if (directory.Entries.GetValueOrDefault(name) is SimulatedContent content) return new SimulatedFile(this, content, path);
            if (!create) throw new DiskException("Opening", path, 2, "No such file");
            content = new();
            directory.Change(name, content);
            return new SimulatedFile(this, content, path);
        }
    }

    public IDiskFile OpenUncached(string path)
    {
        lock (_gate)
        {
            Step("open", path);
            return Find(path) is SimulatedContent content
                ? new SimulatedFile(this, content, path) { Uncached = true }
                : throw new DiskException("Opening", path, 2, "No such file");
        }
    }

    /// <summary>The process died, the machine did not: everything written is still there, synced or not.</summary>
    public void Kill()
    {
        lock (_gate)
        {
            _locked.Clear();
            PowerOffAt = long.MaxValue;
        }
    }

    public bool Exists(string path)
    {
        lock (_gate)
        {
            Step("exists", path);
            return Find(path) is not null;
        }
    }

    public void CreateDirectory(string path)
    {
        lock (_gate)
        {
            Step("mkdir", path);
            var at = _root;
            foreach (var part in Parts(path))
            {
                if (at.Entries.GetValueOrDefault(part) is not SimulatedDirectory next) at.Change(part, next = new());
                at = next;
            }
        }
    }

    public IReadOnlyList<string> Files(string directory) => Names<SimulatedContent>(directory);
    public IReadOnlyList<string> Directories(string directory) => Names<SimulatedDirectory>(directory);

    public void Rename(string from, string to)
    {
        lock (_gate)
        {
            Step("rename", from);
            var ((source, oldName), (target, newName)) = (Parent(from), Parent(to));
            if (source != target) throw new NotSupportedException("The log renames within a directory.");
            var node = source.Entries.GetValueOrDefault(oldName) ?? throw new DiskException("Renaming", from, 2, "No such file");
            source.Move(oldName, newName, node);
        }
    }

    public void Link(string path, string name)
    {
        lock (_gate)
        {
            Step("link", path);
            var (directory, last) = Parent(name);
            directory.Change(last, Find(path) as SimulatedContent ?? throw new DiskException("Linking", path, 2, "No such file"));
        }
    }

    public void Delete(string path)
    {
        lock (_gate)
        {
            Step("delete", path);
            if (Find(Path.GetDirectoryName(path)!) is SimulatedDirectory directory) directory.Change(Path.GetFileName(path), null);
        }
    }

    public void DeleteDirectory(string path) => Delete(path);

    public void SyncDirectory(string path)
    {
        lock (_gate)
        {
            Step("syncdir", path);
            // A topic's may have been deleted meanwhile, as on any disk.
            var directory = Find(path) as SimulatedDirectory ?? throw new DiskException("Syncing directory", path, 2, "No such directory");
            if (!Lies) directory.Sync();
        }
    }

    public void SyncAll(string path)
    {
        lock (_gate)
        {
            Sync("syncfs", path, _root.FailSync);
            if (!Lies) _root.SyncAll();
        }
    }

    public long FreeBytes(string path)
    {
        if (Capacity == long.MaxValue) return Free;
        lock (_gate) return Math.Max(0, Capacity - _root.Space);
    }

    public void Allocate(string path, long bytes)
    {
        using var file = Open(path, create: true);
        lock (_gate)
        {
            Step("allocate", path);
            var content = (SimulatedContent)Find(path)!;
            Room(path, bytes - content.Space);
            content.Allocated = bytes;
        }
    }

    /// <summary>Whether there is such a file or directory; no operation of the log's.</summary>
    public bool Has(string path)
    {
        lock (_gate) return Find(path) is not null;
    }

    /// <summary>Takes all the space there is.</summary>
    public void FillUp()
    {
        lock (_gate) Capacity = _root.Space;
    }

    /// <summary>Fails when there is no such space.</summary>
    internal void Room(string path, long bytes)
    {
        if (bytes > 0 && Capacity != long.MaxValue && Capacity - _root.Space < bytes) throw new DiskException("Writing", path, 28, "No space left on device");
    }

    public IDisposable? TryLock(string path)
    {
        lock (_gate)
        {
            return _locked.Add(path) ? new Releaser(this, path) : null;
        }
    }

    /// <summary>The content of a file, to be damaged by a test.</summary>
    public SimulatedContent Content(string path)
    {
        lock (_gate)
        {
            var content = (SimulatedContent)Find(path)!;
            content.Expose();
            return content;
        }
    }

    /// <param name="operation">What it is.</param>
    /// <param name="path">On what.</param>
    /// <param name="action">Does it.</param>
    /// <param name="failed">What it leaves behind when it fails otherwise than by the power.</param>
    internal T Do<T>(string operation, string path, Func<T> action, Action? failed = null)
    {
        lock (_gate)
        {
            try
            {
                Step(operation, path);
            }
            catch (DiskException) when (failed is not null && Operations < PowerOffAt)
            {
                failed();
                throw;
            }
            return action();
        }
    }

    /// <summary>A step that, when it fails, leaves the page cache lying.</summary>
    internal void Sync(string operation, string path, Action failed)
    {
        lock (_gate)
        {
            try
            {
                Step(operation, path);
            }
            catch (DiskException) when (Operations < PowerOffAt)
            {
                failed();
                throw;
            }
        }
    }

    void Step(string operation, string path)
    {
        if (Interlocked.Increment(ref _operations) >= PowerOffAt) throw new DiskException(operation, path, 5, "the power is off");
        if (Fault(operation, path) is { } fault) throw fault;
    }

    List<string> Names<T>(string directory)
    {
        lock (_gate)
        {
            Step("list", directory);
            return Find(directory) is SimulatedDirectory found ? [.. found.Entries.Where(e => e.Value is T).Select(e => e.Key)] : [];
        }
    }

    object? Find(string path)
    {
        object? at = _root;
        foreach (var part in Parts(path)) at = (at as SimulatedDirectory)?.Entries.GetValueOrDefault(part);
        return at;
    }

    (SimulatedDirectory, string) Parent(string path)
        => Find(Path.GetDirectoryName(path)!) is SimulatedDirectory directory
            ? (directory, Path.GetFileName(path))
            : throw new DiskException("Opening", path, 2, "No such directory");

    static string[] Parts(string path) => path.Split('/', StringSplitOptions.RemoveEmptyEntries);

    sealed class Releaser(SimulatedDisk disk, string path) : IDisposable
    {
        public void Dispose()
        {
            lock (disk._gate) disk._locked.Remove(path);
        }
    }
}
