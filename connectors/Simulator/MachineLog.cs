using System.Globalization;
using System.Text;

namespace IotGateway.Connectors.Simulator;

/// <summary>
/// A machine's log file: lines appended and flushed one by one, the file renamed to end in <c>.1</c> when it is big enough.
/// Others may read, rename or delete it meanwhile. Used by one task.
/// </summary>
internal sealed class MachineLog : IDisposable
{
    readonly string _path;
    readonly long _rotateAt;
    FileStream _file;

    /// <summary>Opens or begins the file, and makes its folder.</summary>
    public MachineLog(string path, long rotateAt)
    {
        (_path, _rotateAt) = (Path.GetFullPath(path), rotateAt);
        Directory.CreateDirectory(Path.GetDirectoryName(_path)!);
        _file = Open();
    }

    /// <summary>Appends <c>2026-11-20T08:00:00.000Z INFO press1 …</c>.</summary>
    public void Write(DateTimeOffset time, string entry)
    {
        if (_file.Length >= _rotateAt) Rotate();
        _file.Write(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{time.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss.fff'Z'} {entry}\n")));
        _file.Flush();
    }

    void Rotate()
    {
        _file.Dispose();
        if (File.Exists(_path)) File.Move(_path, _path + ".1", overwrite: true);
        _file = Open();
    }

    FileStream Open() => new(_path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);

    /// <summary>Closes the file.</summary>
    public void Dispose() => _file.Dispose();
}
