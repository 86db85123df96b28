using Microsoft.Extensions.Logging;

namespace IotGateway.Broker.Security.OAuth;

/// <summary>Keys from a file, read again when it changes; a change that cannot be read leaves the keys read before in force. Thread-safe.</summary>
internal sealed partial class FileKeys : IKeySource
{
    const int MostBytes = 1 << 20;
    static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    readonly string _path;
    readonly ILogger _logger;
    readonly TimeProvider _time;
    readonly Lock _lock = new();
    KeySet _keys;
    (DateTime, long) _stamp;
    long _looked;
    bool _told;

    /// <exception cref="JwksException">The file cannot be used.</exception>
    public FileKeys(string path, ILogger logger, TimeProvider time)
    {
        (_path, _logger, _time) = (path, logger, time);
        _keys = Read();
    }

    public ValueTask<KeySet> GetAsync(string? wanted, CancellationToken ct)
    {
        lock (_lock)
        {
            if (_time.GetElapsedTime(_looked) >= Pause && Stamp() != _stamp) TryRead();
            return new(_keys);
        }
    }

    public void Dispose()
    {
    }

    void TryRead()
    {
        try
        {
            _keys = Read();
            _told = false;
        }
        catch (JwksException problem)
        {
            if (!_told) Log.NotRead(_logger, problem.Message);
            _told = true; // looked at again; half written, perhaps
        }
    }

    KeySet Read()
    {
        var stamp = Stamp();
        _looked = _time.GetTimestamp();
        try
        {
            if (stamp.Item2 > MostBytes) throw new FormatException("It is larger than 1 MiB.");
            var keys = KeySet.Parse(File.ReadAllBytes(_path));
            _stamp = stamp;
            return keys;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            throw new JwksException($"The key set '{_path}' cannot be used: {e.Message}", e);
        }
    }

    (DateTime, long) Stamp()
    {
        var file = new FileInfo(_path);
        return file.Exists ? (file.LastWriteTimeUtc, file.Length) : default;
    }

    static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "{Problem} The keys read before stay in force.")]
        public static partial void NotRead(ILogger logger, string problem);
    }
}
