namespace IotGateway.Log.Disk;

/// <summary>Folder <c>quarantine</c> of the data directory: copies of what is cut or damaged, for analysis. Never read by the log.</summary>
sealed class Quarantine(IDisk disk, string directory)
{
    readonly string _kept = Path.Combine(directory, "quarantine");

    /// <summary>Copies a part of a file, durably; returns the copy's path.</summary>
    /// <exception cref="DiskException">There is no space for it, or the disk fails.</exception>
    public string Keep(string path, long from, long to)
    {
        using var source = disk.Open(path, create: false);
        return Keep(path, from, to, source);
    }

    /// <summary>The same, read through another file.</summary>
    public string Keep(string path, long from, long to, IDiskFile source)
    {
        disk.CreateDirectory(_kept);
        var name = Path.GetRelativePath(directory, path).Replace(Path.DirectorySeparatorChar, '_');
        var copy = Path.Combine(_kept, $"{name}-{from}-{Guid.NewGuid():N}");
        try
        {
            using var target = disk.Open(copy, create: true);
            FileCopy.Copy(source, from, to, target);
            target.Sync();
        }
        catch (DiskException)
        {
            disk.Delete(copy); // a part of a copy only takes space
            throw;
        }
        disk.SyncDirectory(_kept);
        return copy;
    }
}
