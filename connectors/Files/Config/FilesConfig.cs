using System.ComponentModel.DataAnnotations;
using IotGateway.Connectors.Files.Tail;
using IotGateway.Sdk.Config;

namespace IotGateway.Connectors.Files.Config;

/// <summary>Which files to read, how, and what their lines become.</summary>
public sealed record FilesConfig : IValidatableObject
{
    /// <summary>Which files.</summary>
    [Option("Files to read: an absolute path; * and ? match within a name, ** any folders.", Example = "/var/log/press/*.log")]
    public required string Path { get; init; }

    /// <summary>Names left out.</summary>
    [Option("File names left out, with * and ?. Default: compressed files.", Advanced = true)]
    public IReadOnlyList<string> Exclude { get; init; } = ["*.gz", "*.bz2", "*.xz", "*.zst", "*.zip"];

    /// <summary>How.</summary>
    [Option("How files are read. tail: growing files are followed line by line, through rotation.", Example = "tail")]
    public FilesMode Mode { get; init; } = FilesMode.Tail;

    /// <summary>What a line becomes.</summary>
    [Option("Record value. raw: the line's bytes unchanged; json: {\"file\", \"offset\", \"time\", \"line\"} with the gateway's time.")]
    public LineFormat Format { get; init; } = LineFormat.Raw;

    /// <summary>Where records go.</summary>
    [Option("Topic: text with ${file} (name), ${stem} (name up to its last dot), ${dir} (its folder's name), ${gateway}. Default: the connector's name.", Example = "press.${stem}")]
    public string? Topic { get; init; }

    /// <summary>Their key.</summary>
    [Option("Record key: text with the same words and ${path} (the whole path). Empty: no key.", Advanced = true)]
    public string Key { get; init; } = "${path}";

    /// <summary>Where a first start begins.</summary>
    [Option("Where files that exist at the connector's very first start are begun; files that appear later are always read from their beginning.")]
    public StartAt Start { get; init; } = StartAt.Beginning;

    /// <summary>How often files are looked at.</summary>
    [Option("Pause between looks at files that did not grow.", Example = "250ms"), Range(typeof(TimeSpan), "00:00:00.001", "00:10:00")]
    public TimeSpan Every { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>How often folders are listed.</summary>
    [Option("Pause between looks for new, renamed and deleted files.", Advanced = true), Range(typeof(TimeSpan), "00:00:00.001", "01:00:00")]
    public TimeSpan Scan { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>When a line without end counts as complete.</summary>
    [Option("A last line that lacks its line end becomes a record after standing still for this long. 0: it waits for its end.", Advanced = true), Range(typeof(TimeSpan), "00:00:00", "1.00:00:00")]
    public TimeSpan PartialAfter { get; init; } = TimeSpan.Zero;

    /// <summary>How long renamed and deleted files are followed.</summary>
    [Option("How long a file that was renamed out of the path or deleted is still followed after its last growth.", Advanced = true), Range(typeof(TimeSpan), "00:00:00", "1.00:00:00")]
    public TimeSpan CloseAfter { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Longest record.</summary>
    [Option("Longest line; longer ones become several records, numbered by the header file.part. The default fits Kafka's usual limit of 1 MiB per message.", Advanced = true)]
    public ByteSize MaxLine { get; init; } = new(1000 << 10);

    /// <summary>Most files.</summary>
    [Option("Most files followed at once; more are reported and left alone.", Advanced = true), Range(1, 100_000)]
    public int MaxFiles { get; init; } = 1_000;

    /// <summary>Most lines in a batch.</summary>
    [Option("Most lines in one batch.", Advanced = true), Range(1, 100_000)]
    public int BatchLines { get; init; } = 5_000;

    /// <summary>Whether headers are written.</summary>
    [Option("Whether records carry the headers file.name and file.offset.", Advanced = true)]
    public bool Headers { get; init; } = true;

    /// <summary>Which symbolic links are followed.</summary>
    [Option("Symbolic links followed: none, those that end inside the path's fixed folder, or any.", Advanced = true)]
    public LinkPolicy Links { get; init; } = LinkPolicy.Inside;

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (!System.IO.Path.IsPathRooted(Path)) yield return new($"'{Path}' is not absolute: begin it with '/'.", [nameof(Path)]);
        else if (Path.EndsWith('/')) yield return new($"'{Path}' names a folder: add a file name such as '*.log'.", [nameof(Path)]);
        else if (Path.Split('/').Contains("..")) yield return new($"'{Path}' holds '..': write the folder itself.", [nameof(Path)]);
        if (MaxLine.Bytes is < 64 or > 64 << 20) yield return new("Must be between 64B and 64MiB.", [nameof(MaxLine)]);
        foreach (var (text, name) in new[] { (Topic ?? "", nameof(Topic)), (Key, nameof(Key)) })
            if (FileTemplate.UnknownWord(text) is { } word)
                yield return new($"'${{{word}}}' is unknown: known are {FileTemplate.Words}.", [name]);
    }
}
