using System.IO.Enumeration;

namespace IotGateway.Connectors.Files.Tail;

/// <summary>
/// A path with wildcards: <c>*</c> and <c>?</c> within a name, <c>**</c> any number of folders. As in a shell, a wildcard does not match
/// a leading dot. Immutable; listing needs no more memory than the names found.
/// </summary>
sealed class Glob
{
    const int MaxDepth = 64;      // folders below each other; a loop of links ends here
    readonly string[] _segments;
    readonly IReadOnlyList<string> _exclude;
    readonly bool _followFolders;

    /// <param name="pattern">Absolute, '/' between segments.</param>
    /// <param name="exclude">File names left out.</param>
    /// <param name="followFolders">Whether folders that are links are entered.</param>
    public Glob(string pattern, IReadOnlyList<string> exclude, bool followFolders)
    {
        var all = pattern.Split('/', StringSplitOptions.RemoveEmptyEntries);
        var literal = all.Take(all.Length - 1).TakeWhile(s => s.AsSpan().IndexOfAny('*', '?') < 0).Count();
        Root = "/" + string.Join('/', all[..literal]);
        (_segments, _exclude, _followFolders) = (all[literal..], exclude, followFolders);
    }

    /// <summary>The part without wildcards: the folder everything lies in.</summary>
    public string Root { get; }

    /// <summary>Paths that match now, in no order. Folders that vanish meanwhile are passed over; ones that may not be read go to <paramref name="denied"/>.</summary>
    public IEnumerable<string> Find(Action<string, Exception> denied) => Find(Root, 0, 0, denied);

    IEnumerable<string> Find(string folder, int segment, int depth, Action<string, Exception> denied)
    {
        var pattern = _segments[segment];
        var last = segment == _segments.Length - 1;
        if (depth > MaxDepth) yield break;
        if (pattern == "**" && !last)
            foreach (var path in Find(folder, segment + 1, depth, denied))
                yield return path;
        if (last && pattern.AsSpan().IndexOfAny('*', '?') < 0)
        {
            yield return Path.Combine(folder, pattern);
            yield break;
        }
        foreach (var entry in List(folder, denied))
        {
            if (last)
            {
                if (!IsFolder(entry) && Matches(pattern == "**" ? "*" : pattern, entry.Name) && !_exclude.Any(e => Matches(e, entry.Name))) yield return entry.FullName;
                if (pattern == "**" && MayEnter(entry))
                    foreach (var path in Find(entry.FullName, segment, depth + 1, denied))
                        yield return path;
            }
            else if (MayEnter(entry) && (pattern == "**" ? entry.Name[0] != '.' : Matches(pattern, entry.Name)))
                foreach (var path in Find(entry.FullName, pattern == "**" ? segment : segment + 1, depth + 1, denied))
                    yield return path;
        }
    }

    static IEnumerable<FileSystemInfo> List(string folder, Action<string, Exception> denied)
    {
        try
        {
            return [.. new DirectoryInfo(folder).EnumerateFileSystemInfos("*", Everything)];
        }
        catch (DirectoryNotFoundException)
        {
            return [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            denied(folder, e);
            return [];
        }
    }

    static readonly EnumerationOptions Everything = new() { AttributesToSkip = 0, IgnoreInaccessible = false };

    static bool IsFolder(FileSystemInfo entry) => (entry.Attributes & FileAttributes.Directory) != 0;

    bool MayEnter(FileSystemInfo entry) => IsFolder(entry) && (_followFolders || (entry.Attributes & FileAttributes.ReparsePoint) == 0);

    static bool Matches(string pattern, string name)
        => (name[0] != '.' || pattern[0] == '.') && FileSystemName.MatchesSimpleExpression(pattern, name, ignoreCase: false);
}
