using IotGateway.Connectors.Files.Config;
using IotGateway.Sdk;
using IotGateway.Sdk.Data;
using IotGateway.Sdk.Health;
using Microsoft.Extensions.Logging;

namespace IotGateway.Connectors.Files.Tail;

/// <summary>
/// The files followed at the moment: finds new ones, notices renamed and deleted ones, and ends those that are done. Owned by the source's
/// loop. A file that cannot be opened or read is reported and tried again at the next scan; the others go on.
/// </summary>
sealed partial class FileSet : IDisposable
{
    readonly FilesConfig _config;
    readonly ConnectorContext _context;
    readonly Glob _glob;
    readonly FileOpener _opener;
    readonly KnownPositions _known;
    readonly FileHealth _health;
    readonly List<TailedFile> _files = [];
    bool _scanned, _sought;

    public FileSet(FilesConfig config, ConnectorContext context)
    {
        (_config, _context) = (config, context);
        _glob = new Glob(config.Path, config.Exclude, config.Links == LinkPolicy.Any);
        _opener = new FileOpener(_glob.Root, config.Links);
        _known = new KnownPositions(context.State);
        _health = new FileHealth(_glob.Root, context);
    }

    /// <summary>All files followed, in no order that matters.</summary>
    public IReadOnlyList<TailedFile> Files => _files;

    /// <summary>Whether a file must wait for the one that was at its path before: its lines come first.</summary>
    public static bool MustWait(TailedFile file) => file.After is { AtEnd: false };

    /// <summary>Looks at the folders; gaps and state that follow go into the batch.</summary>
    public void Scan(LineBatch batch)
    {
        var now = _context.Time.GetUtcNow().UtcDateTime;
        _health.Begin();
        var seen = new HashSet<TailedFile>();
        foreach (var path in _glob.Find(_health.Failed).Order(StringComparer.Ordinal)) Visit(path, batch, seen);
        foreach (var file in _files) file.Gone = !seen.Contains(file);
        if (!_scanned && _known.FirstStart) batch.Add(new StateChange(KnownPositions.StartedKey, Array.Empty<byte>()));
        _scanned = true;
        if (!_sought && Directory.Exists(_glob.Root))
        {
            foreach (var missing in _known.Missing) Missing(missing, batch, now);
            _sought = true;
        }
        Chain();
        foreach (var change in _known.Expire(now)) batch.Add(change);
        _health.End(_context.Time.GetUtcNow() + _config.Scan);
    }

    /// <summary>Ends the files that are gone, read to the end, and still for long enough. False: the batch had no room for a last line.</summary>
    public bool EndFinished(LineBatch batch)
    {
        for (var i = _files.Count - 1; i >= 0; i--)
        {
            var file = _files[i];
            if (!file.AtEnd) continue;
            if (file.Gone && file.Still >= _config.CloseAfter)
            {
                if (!file.Finish(batch)) return false;
                var position = file.Position(_context.Time.GetUtcNow().UtcDateTime);
                file.Forgotten = true;
                batch.Add(file.Status.Linked ? _known.Keep(position) : position.Delete());
                Drop(file);
            }
            else if (_config.PartialAfter > TimeSpan.Zero && file.Still >= _config.PartialAfter && !file.Finish(batch)) return false;
        }
        return true;
    }

    /// <summary>A file's disk failed: it is let go, and found again by a later scan.</summary>
    public void Fail(TailedFile file, IOException cause)
    {
        _known.Keep(file.Position());
        Drop(file);
        _health.ReadFailed(file.Path, cause);
    }

    /// <summary>A file was found truncated with <paramref name="unread"/> bytes known to be lost.</summary>
    public void Truncated(TailedFile file, long unread, LineBatch batch)
    {
        Log.Truncated(_context.Logger, file.Path, unread);
        if (unread > 0) batch.Add(GapOf(file.Path, _context.Time.GetUtcNow().UtcDateTime - file.Still, "file-truncated"));
    }

    public void Dispose()
    {
        foreach (var file in _files) file.Dispose();
        _files.Clear();
    }

    void Visit(string path, LineBatch batch, HashSet<TailedFile> seen)
    {
        try
        {
            if (Native.Stat(path) is not { Regular: true } status) return;
            var file = _files.Find(f => f.Status.Device == status.Device && f.Status.Inode == status.Inode);
            if (file is null && (file = Follow(path, batch)) is null) return;
            if (seen.Add(file)) file.Path = path;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _health.Failed(path, e);
        }
    }

    TailedFile? Follow(string path, LineBatch batch)
    {
        if (_files.Count >= _config.MaxFiles)
        {
            _health.Failed(path, new IOException($"More than {_config.MaxFiles} files match; raise \"maxFiles\" or narrow \"path\"."));
            return null;
        }
        if (_opener.Open(path) is not { } cursor) return null;
        var known = _known.Take(cursor.Status, path);
        var file = Make(cursor, known?.Path ?? path, path);
        if (known is null)
        {
            if (!_scanned && _known.FirstStart && _config.Start == StartAt.End)
            {
                file.SkipToEnd();
                batch.Touch(file);
            }
        }
        else if (known.Born == cursor.Status.Born && file.TryResume(known))
        {
            if (known.Device != cursor.Status.Device) batch.Add(known.Delete());
            if (known.GoneAt is not null || known.Device != cursor.Status.Device) batch.Touch(file);
        }
        else
        {
            // What was written in between is unknown.
            var reused = known.Path != path && (known.Born == 0 || known.Born != cursor.Status.Born);
            if (reused) Log.Vanished(_context.Logger, known.Path);
            else Log.Replaced(_context.Logger, path);
            if (known.GoneAt is null) batch.Add(GapOf(known.Path, known.At, reused ? "file-gone" : "file-replaced"));
            if (known.Device != cursor.Status.Device) batch.Add(known.Delete());
            if (reused) file = Make(cursor, path, path);
            batch.Touch(file);
        }
        Insert(file);
        return file;
    }

    /// <summary>A file known from before is not at its path: it was rotated while the gateway was away. Its inode is sought beside its path.</summary>
    void Missing(FilePosition known, LineBatch batch, DateTime now)
    {
        if (!known.Path.StartsWith(_glob.Root.TrimEnd('/') + "/", StringComparison.Ordinal) || _health.HasFailed(known.Path)) return;
        if (FindRotated(known) is { } file)
        {
            file.Gone = true;
            Insert(file);
            _known.Take(file.Status, known.Path);
            return;
        }
        Log.Vanished(_context.Logger, known.Path);
        batch.Add(GapOf(known.Path, known.At, "file-gone"));
        batch.Add(_known.Keep(known with { GoneAt = now }));
    }

    TailedFile? FindRotated(FilePosition known)
    {
        var folder = Path.GetDirectoryName(known.Path)!;
        if (!Directory.Exists(folder)) return null;
        foreach (var path in Directory.EnumerateFiles(folder))
        {
            try
            {
                if (Native.Stat(path) is not { Regular: true } s || s.Inode != known.Inode || s.Born != known.Born || _opener.Open(path) is not { } cursor) continue;
                var file = Make(cursor, known.Path, path);
                if (file.TryResume(known)) return file;
                file.Dispose();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                _health.Failed(path, e);
            }
        }
        return null;
    }

    TailedFile Make(FileCursor cursor, string name, string path)
        => new(cursor, name, path, _config.Topic ?? _context.Name, _context.Gateway, _config, _context.Time);

    Gap GapOf(string path, DateTime from, string reason)
        => new() { Device = _health.DeviceOf(path), From = from, To = _context.Time.GetUtcNow().UtcDateTime, Reason = reason };

    /// <summary>Elder files first, as far as the file system tells.</summary>
    void Insert(TailedFile file)
    {
        var younger = _files.FindIndex(f => f.Status.Born > file.Status.Born);
        _files.Insert(younger < 0 ? _files.Count : younger, file);
    }

    void Chain()
    {
        var last = new Dictionary<string, TailedFile>(StringComparer.Ordinal);
        foreach (var file in _files)
        {
            var after = last.GetValueOrDefault(file.Name);
            if (after is not null && file.After != after) after.LookAgain();      // its end was written before this file was made
            file.After = after;
            last[file.Name] = file;
        }
    }

    void Drop(TailedFile file)
    {
        foreach (var other in _files)
            if (other.After == file) other.After = file.After;
        _files.Remove(file);
        file.Dispose();
    }

    static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "{File} was truncated; it is read again from its beginning. {Unread} bytes were not yet read and are lost.")]
        public static partial void Truncated(ILogger logger, string file, long unread);

        [LoggerMessage(Level = LogLevel.Warning, Message = "{File} was truncated or replaced while it was not followed; it is read from its beginning. Lines written in between may be lost.")]
        public static partial void Replaced(ILogger logger, string file);

        [LoggerMessage(Level = LogLevel.Warning, Message = "{File} was rotated or deleted while it was not followed, and is nowhere beside its path. Lines written to it in the meantime may be lost.")]
        public static partial void Vanished(ILogger logger, string file);
    }
}
