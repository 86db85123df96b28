using IotGateway.Sdk;
using IotGateway.Sdk.Data;

namespace IotGateway.Connectors.Files.Tail;

/// <summary>
/// The kept positions of files that are not followed at the moment. A file that vanished is remembered for a week, so that a file system
/// that was not mounted for a while does not bring every line a second time. One owner.
/// </summary>
sealed class KnownPositions
{
    /// <summary>State key that says the connector has run before.</summary>
    public const string StartedKey = "started";

    static readonly TimeSpan Remembered = TimeSpan.FromDays(7);
    readonly Dictionary<string, FilePosition> _positions = [];

    public KnownPositions(IReadOnlyDictionary<string, ReadOnlyMemory<byte>> state)
    {
        foreach (var position in FilePosition.Load(state)) _positions[position.StateKey] = position;
        FirstStart = state.Count == 0;
    }

    /// <summary>Whether there never was a run before.</summary>
    public bool FirstStart { get; }

    /// <summary>Positions of files that should be there and are not followed yet.</summary>
    public IReadOnlyList<FilePosition> Missing => [.. _positions.Values.Where(p => p.GoneAt is null)];

    /// <summary>
    /// Takes out the position of a file: the same device, inode and birth; or, since devices are renumbered when a machine restarts, the same
    /// inode and birth (where the file system keeps no birth: the same path).
    /// </summary>
    public FilePosition? Take(FileStatus file, string path)
    {
        if (!_positions.TryGetValue(FilePosition.KeyOf(file.Device, file.Inode), out var found))
            found = _positions.Values.FirstOrDefault(p => p.Inode == file.Inode && p.Born == file.Born && (p.Born != 0 || p.Path == path));
        if (found is null) return null;
        _positions.Remove(found.StateKey);
        return found;
    }

    /// <summary>Keeps the position of a file no longer followed.</summary>
    public StateChange Keep(FilePosition position)
    {
        _positions[position.StateKey] = position;
        return position.Save();
    }

    /// <summary>Forgets what has been gone for long.</summary>
    public IEnumerable<StateChange> Expire(DateTime now)
    {
        foreach (var old in _positions.Values.Where(p => p.GoneAt < now - Remembered).ToList())
        {
            _positions.Remove(old.StateKey);
            yield return old.Delete();
        }
    }
}
