using IotGateway.Sdk;
using IotGateway.Sdk.Health;
using Microsoft.Extensions.Logging;

namespace IotGateway.Connectors.Files.Tail;

/// <summary>
/// Tells the runtime which files cannot be read, once when it begins and once when it ends. A file's device name is its path below the
/// fixed folder with ':' for '/'. One owner.
/// </summary>
sealed partial class FileHealth(string root, ConnectorContext context)
{
    const string Denied = "files:permission-denied", Unreadable = "files:unreadable";
    readonly Dictionary<string, string> _known = [];
    Dictionary<string, Exception> _now = [], _between = [];

    public string DeviceOf(string path)
    {
        var below = path.StartsWith(root, StringComparison.Ordinal) ? path[root.Length..] : path;
        var name = below.Trim('/').Replace('/', ':');
        return name.Length == 0 ? Path.GetFileName(root) is { Length: > 0 } folder ? folder : "files" : name;
    }

    /// <summary>A look at all files begins.</summary>
    public void Begin() => (_now, _between) = (_between, []);

    /// <summary>A file that is followed could not be read, between two looks at all; it counts for the next one.</summary>
    public void ReadFailed(string path, Exception cause) => _between[path] = cause;

    /// <summary>A file or folder could not be opened.</summary>
    public void Failed(string path, Exception cause) => _now[path] = cause;

    public bool HasFailed(string path) => _now.ContainsKey(path);

    /// <summary>The look ended: what is new is reported, what did not fail again is well.</summary>
    public void End(DateTimeOffset nextTry)
    {
        foreach (var (path, cause) in _now)
        {
            if (_known.TryGetValue(path, out var reason) && reason == cause.Message) continue;
            _known[path] = cause.Message;
            Log.Unreadable(context.Logger, path, cause.Message);
            var code = cause is UnauthorizedAccessException ? Denied : Unreadable;
            var advice = code == Denied ? cause.Message + " Give the gateway's user read permission, or leave the file out." : cause.Message;
            context.Report(new PartHealth(DeviceOf(path), null, PartState.Down, code, advice, nextTry));
        }
        foreach (var path in _known.Keys.Where(p => !_now.ContainsKey(p)).ToList())
        {
            _known.Remove(path);
            context.Report(new PartHealth(DeviceOf(path), null, PartState.Ok, null, null, null));
        }
    }

    static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "{File} cannot be read and is tried again: {Reason}")]
        public static partial void Unreadable(ILogger logger, string file, string reason);
    }
}
