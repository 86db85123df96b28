using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.RegularExpressions;
using IotGateway.Connectors.Mqtt;
using IotGateway.Sdk.Config;

namespace IotGateway.Connectors.Sparkplug.Config;

/// <summary>A broker with Sparkplug edge nodes, and how they are listened to.</summary>
public sealed partial record SparkplugConfig : MqttConnection
{
    /// <summary>Host id.</summary>
    [Option("Id of this host application: what edge nodes have as their primary host. Default: the gateway's name.", Example = "plant-north")]
    public string? HostId { get; init; }

    /// <summary>Form of STATE.</summary>
    [Option("How this host says whether it is online: 3.0 for edge nodes of Sparkplug 3.0 (JSON at spBv1.0/STATE/HOSTID), 2.2 for older ones (ONLINE or OFFLINE at STATE/HOSTID).", Advanced = true), RegularExpression(@"^(3\.0|2\.2)$")]
    public string StateFormat { get; init; } = "3.0";

    /// <summary>Groups.</summary>
    [Option("Sparkplug groups to listen to; empty: all.", Example = "[\"press-shop\"]")]
    public IReadOnlyList<string> Groups { get; init; } = [];

    /// <summary>Name of edge nodes.</summary>
    [Option("Name of an edge node as a device of the gateway: text with ${group} and ${edge}.")]
    public string Node { get; init; } = "${group}.${edge}";

    /// <summary>Name of devices.</summary>
    [Option("Name of a device behind an edge node: text with ${group}, ${edge} and ${device}.")]
    public string Device { get; init; } = "${group}.${edge}.${device}";

    /// <summary>Reorder timeout.</summary>
    [Option("How long a missing message is waited for while later ones are held; then it is a gap, and the edge node is asked for a rebirth.", Advanced = true), Range(typeof(TimeSpan), "00:00:00.100", "00:01:00")]
    public TimeSpan ReorderTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Rebirth pause.</summary>
    [Option("Least time between two rebirth requests to the same edge node; doubles while it does not answer, or breaks again right after.", Advanced = true), Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan RebirthPause { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Where doubling ends.</summary>
    [Option("Where that doubling ends.", Advanced = true), Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan RebirthMaxPause { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>When to tell edge nodes to store.</summary>
    [Option("How long data may wait for the log before STATE says offline, so that edge nodes store; at once when the log takes nothing.", Advanced = true), Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan OfflineAfter { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Largest packet.</summary>
    [Option("Largest message accepted; a broker that sends a larger one is disconnected.", Advanced = true)]
    public ByteSize MaxPacketSize { get; init; } = new(4 << 20);

    /// <summary>Memory for messages.</summary>
    [Option("Most memory for messages received and not yet on disk; beyond it they are dropped and counted, and their edge nodes are asked for a rebirth.", Advanced = true)]
    public ByteSize MaxInFlight { get; init; } = new(64 << 20);

    /// <summary>Most edge nodes.</summary>
    [Option("Most edge nodes; births of more go to the dead letters.", Advanced = true), Range(1, 100_000)]
    public int MaxEdges { get; init; } = 10_000;

    /// <summary>Answer time of commands.</summary>
    [Option("How long an edge node may take to report the value a command wrote; then the outcome is unknown.", Advanced = true), Range(typeof(TimeSpan), "00:00:00.100", "00:05:00")]
    public TimeSpan CommandTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Devices.</summary>
    [Option("Devices whose metrics may be written; all others are only read.", Advanced = true)]
    public IReadOnlyList<SparkplugDevice> Devices { get; init; } = [];

    /// <summary>Whether a running connection can serve the other configuration.</summary>
    internal bool DiffersOnlyInDevices(SparkplugConfig other)
        => JsonSerializer.Serialize(this with { Devices = [] }) == JsonSerializer.Serialize(other with { Devices = [] });

    internal override (TimeSpan SessionExpiry, int ReceiveMaximum, int MaxPacketSize) Inbound => (TimeSpan.Zero, 1_000, (int)MaxPacketSize.Bytes); // a clean start, as §5.7 asks

    /// <inheritdoc/>
    public override IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (var problem in base.Validate(validationContext)) yield return problem;
        if (HostId is not null && !Id().IsMatch(HostId)) yield return new("An id holds no '/', '+' or '#' and is not empty.", [nameof(HostId)]);
        foreach (var group in Groups)
            if (!Id().IsMatch(group)) yield return new($"'{group}' is no group: an id holds no '/', '+' or '#' and is not empty.", [nameof(Groups)]);
        foreach (var (name, template, allowed) in new[] { (nameof(Node), Node, "group edge"), (nameof(Device), Device, "group edge device") })
        {
            var known = allowed.Split(' ');
            foreach (Match match in Placeholder().Matches(template))
                if (!known.Contains(match.Groups[1].Value)) yield return new($"'{match.Value}' is no placeholder here; there are {string.Join(", ", known.Select(k => $"${{{k}}}"))}.", [name]);
            if (template.Length == 0 || template.Contains('/', StringComparison.Ordinal)) yield return new("A device's name is not empty and holds no '/'.", [name]);
            if (!template.Contains($"${{{known[^1]}}}", StringComparison.Ordinal)) yield return new($"Without ${{{known[^1]}}} all would have the same name.", [name]);
        }
        if (MaxPacketSize.Bytes is < 1_024 or > 67_108_864) yield return new("Between 1KiB and 64MiB.", [nameof(MaxPacketSize)]);
        if (MaxInFlight < MaxPacketSize) yield return new("Must be at least maxPacketSize.", [nameof(MaxInFlight)]);
        if (RebirthMaxPause < RebirthPause) yield return new("Must be at least rebirthPause.", [nameof(RebirthMaxPause)]);
    }

    [GeneratedRegex("^[^/+#]+$")]
    private static partial Regex Id();

    [GeneratedRegex(@"\$\{([^}]*)\}?")]
    private static partial Regex Placeholder();
}
