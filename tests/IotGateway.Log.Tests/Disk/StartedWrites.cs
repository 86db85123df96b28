using System.Collections.Concurrent;
using IotGateway.Log.Disk;

namespace IotGateway.Log.Tests.Disk;

/// <summary>Another disk, of which is known what it was asked to begin with before a sync. Thread-safe.</summary>
sealed class StartedWrites(IDisk disk) : OtherDisk(disk)
{
    readonly ConcurrentQueue<(string Path, long From, long To)> _started = [];

    /// <summary>Ranges of files of that kind, in the order asked for.</summary>
    public List<(long From, long To)> Of(string extension) => [.. _started.Where(s => s.Path.EndsWith(extension, StringComparison.Ordinal)).Select(s => (s.From, s.To))];

    public override IDiskFile Open(string path, bool create) => new StartedFile(this, OpenThere(path, create), path);

    sealed class StartedFile(StartedWrites owner, IDiskFile file, string path) : OtherFile(file)
    {
        public override void StartWriting(long position, long length) => owner._started.Enqueue((path, position, position + length));
    }
}
