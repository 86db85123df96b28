using IotGateway.Connectors.Files.Config;
using Microsoft.Win32.SafeHandles;

namespace IotGateway.Connectors.Files.Tail;

/// <summary>
/// Opens files for reading under the rule for symbolic links. The rule is checked on the opened file, by where the kernel says it lies, so
/// a link swapped in between cannot lead outside. Stateless.
/// </summary>
sealed class FileOpener(string root, LinkPolicy links)
{
    /// <summary>Null when there is nothing to follow at this path: no file, a folder, a pipe.</summary>
    /// <exception cref="UnauthorizedAccessException">Not readable for this user, or a link the rule forbids.</exception>
    /// <exception cref="IOException">The disk failed.</exception>
    public FileCursor? Open(string path)
    {
        if (Native.Stat(path) is not { Regular: true } || Native.Open(path) is not { } file) return null;
        var ok = false;
        try
        {
            Check(path, file);
            var cursor = new FileCursor(file, path);
            ok = cursor.Status.Regular;
            return ok ? cursor : null;
        }
        finally
        {
            if (!ok) file.Dispose();
        }
    }

    void Check(string path, SafeFileHandle file)
    {
        if (links == LinkPolicy.Any) return;
        using var folder = Native.Open(root) ?? throw new IOException($"{root} has vanished.");
        var real = Native.RealPath(folder).TrimEnd('/');
        var lies = Native.RealPath(file);
        if (links == LinkPolicy.None ? lies == real + path[root.TrimEnd('/').Length..] : lies.StartsWith(real + "/", StringComparison.Ordinal)) return;
        throw new UnauthorizedAccessException(links == LinkPolicy.None
            ? $"{path} is a symbolic link or lies behind one (to {lies}); \"links\": \"none\" forbids it."
            : $"{path} leads out of {root} to {lies}; allow that with \"links\": \"any\".");
    }
}
