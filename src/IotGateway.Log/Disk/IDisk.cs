namespace IotGateway.Log.Disk;

/// <summary>
/// All the log knows of file systems. Two implementations: <see cref="LinuxDisk"/>, and in the tests one that loses, tears and reorders
/// what was not synced. Every failure is a <see cref="DiskException"/>; nothing is swallowed. Thread-safe.
/// </summary>
interface IDisk
{
    /// <summary>Opens a file for reading and writing; with <paramref name="create"/> makes it when it is missing.</summary>
    IDiskFile Open(string path, bool create);

    /// <summary>
    /// Opens a file for reading what the disk has, not the page cache, which may hold what a failed sync never wrote. What is written but not
    /// synced yet is read too.
    /// </summary>
    IDiskFile OpenUncached(string path);

    bool Exists(string path);

    void CreateDirectory(string path);

    /// <summary>Names (not paths) of the files in a directory; empty when there is no directory.</summary>
    IReadOnlyList<string> Files(string directory);

    /// <summary>Names of the directories in a directory.</summary>
    IReadOnlyList<string> Directories(string directory);

    /// <summary>Renames a file or directory; replaces a file that is there. Durable after <see cref="SyncDirectory"/> only.</summary>
    void Rename(string from, string to);

    /// <summary>Gives a file a second name, in any directory of the same file system; there must be no file of that name.</summary>
    void Link(string path, string name);

    /// <summary>Removes a file; harmless when it is not there.</summary>
    void Delete(string path);

    /// <summary>Removes a directory and its files; harmless when it is not there.</summary>
    void DeleteDirectory(string path);

    /// <summary>Makes names in the directory durable (fsync of the directory).</summary>
    void SyncDirectory(string path);

    /// <summary>Makes everything on the file system that holds <paramref name="path"/> durable (syncfs).</summary>
    void SyncAll(string path);

    long FreeBytes(string path);

    /// <summary>Makes a file of that size whose space is really taken.</summary>
    void Allocate(string path, long bytes);

    /// <summary>Takes the exclusive lock on a file, made when missing; null when another process has it.</summary>
    IDisposable? TryLock(string path);
}
