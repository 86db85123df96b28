namespace IotGateway.Log.Disk;

/// <summary>
/// File <c>reserve</c>: disk space held back for what must be kept on a full disk (gaps, outcomes, offsets, checkpoints, a replay). Whoever finds no
/// space gives it free and goes on; it is taken again when there is enough. Thread-safe.
/// </summary>
sealed class Reserve
{
    const string Name = "reserve";

    readonly Lock _gate = new();
    readonly IDisk _disk;
    readonly string _directory, _path;
    readonly long _bytes;
    bool _held;

    public Reserve(IDisk disk, string directory, long bytes)
    {
        (_disk, _directory, _path, _bytes) = (disk, directory, Path.Combine(directory, Name), bytes);
        if (!disk.Exists(_path)) return;
        using var file = disk.Open(_path, create: false);
        _held = bytes > 0 && file.Length == bytes;
        if (!_held) disk.Delete(_path); // of another size
    }

    /// <summary>Whether it is there for the next who needs it (one of no size always is).</summary>
    public bool Held
    {
        get
        {
            lock (_gate) return _held || _bytes == 0;
        }
    }

    /// <summary>Takes it unless that would leave less than <paramref name="spare"/> free; says whether it is held.</summary>
    public bool TryTake(long spare)
    {
        lock (_gate)
        {
            if (_held || _bytes == 0) return true;
            if (_disk.FreeBytes(_directory) < _bytes + spare) return false;
            try
            {
                _disk.Allocate(_path, _bytes);
                return _held = true;
            }
            catch (DiskException e) when (e.IsFull)
            {
                _disk.Delete(_path);
                return false;
            }
        }
    }

    /// <summary>Gives it free; false when there was none.</summary>
    public bool Release()
    {
        lock (_gate)
        {
            if (!_held) return false;
            _disk.Delete(_path);
            _held = false;
            return true;
        }
    }
}
