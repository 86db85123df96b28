using System.ComponentModel.DataAnnotations;
using IotGateway.Sdk;
using IotGateway.Sdk.Config;
using IotGateway.Sdk.Data;

namespace IotGateway.Connect.Configs;

/// <summary>The runtime's own options, valid in every connector file beside the connector's.</summary>
public sealed record CommonOptions : IValidatableObject
{
    [Option("Which plugin runs it.")]
    public required string Connector { get; init; }

    [Option("What it is for, in your own words.", Advanced = true)]
    public string? Description { get; init; }

    [Option("Whether it runs at all.")]
    public bool Enabled { get; init; } = true;

    [Option("Topic its data goes to; ${device}, ${tag}, ${group}, ${gateway} and the connector's own placeholders are replaced. Default: the connector's name.", Example = "plant.${device}")]
    public string? Topic { get; init; }

    [Option("How a reading is written: json with unit, quality and time, value for the value alone as text, raw for opaque payloads unchanged."), ForRoles(ConnectorRoles.Source)]
    public RecordFormat Format { get; init; } = RecordFormat.Json;

    [Option("How times are written into records.", Advanced = true), ForRoles(ConnectorRoles.Source)]
    public TimeFormat TimeFormat { get; init; } = TimeFormat.Iso;

    [Option("How 64 bit integers are written: as numbers (JavaScript and some tools round them above 2^53) or as strings.", Advanced = true), ForRoles(ConnectorRoles.Source)]
    public Int64Format Int64 { get; init; } = Int64Format.Number;

    [Option("Which time a record gets.", Advanced = true), ForRoles(ConnectorRoles.Source)]
    public TimeOptions Time { get; init; } = new();

    [Option("Most topics this connector may make from data; beyond it records go to the dead letters.", Advanced = true), Range(1, 100_000), ForRoles(ConnectorRoles.Source)]
    public int MaxTopics { get; init; } = 1_000;

    [Option("Limits that keep one connector from taking the whole machine.", Advanced = true), ForRoles(ConnectorRoles.Source)]
    public LimitOptions Limits { get; init; } = new();

    [Option("Most instances its work is split into, where the connector can be split.", Advanced = true), Range(1, 256)]
    public int Tasks { get; init; } = 1;

    [Option("Priority of its data: forwarded first and dropped last when high.", Advanced = true), ForRoles(ConnectorRoles.Source)]
    public Lane Lane { get; init; } = Lane.Normal;

    [Option("Pauses between attempts after a failure.", Advanced = true)]
    public RetryOptions Retry { get; init; } = new();

    [Option("How long connecting may take before it counts as failed.", Advanced = true), Range(typeof(TimeSpan), "00:00:00.100", "01:00:00")]
    public TimeSpan OpenTimeout { get; init; } = TimeSpan.FromSeconds(30);

    [Option("How records are collected before they are delivered.", Advanced = true), ForRoles(ConnectorRoles.Sink)]
    public BatchOptions Batch { get; init; } = new();

    [Option("Topics to deliver: names, or wildcards such as plant.*.", Example = "[\"plant.*\"]"), ForRoles(ConnectorRoles.Sink)]
    public IReadOnlyList<string> Topics { get; init; } = [];

    [Option("Where a topic is begun that was never delivered before."), ForRoles(ConnectorRoles.Sink)]
    public StartFrom StartFrom { get; init; } = StartFrom.Earliest;

    [Option("How what it has not delivered yet is held in the log.", Advanced = true), ForRoles(ConnectorRoles.Sink)]
    public PinOptions Pin { get; init; } = new();

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Topic is null) yield break;
        if (Topic.Length == 0) yield return new("The topic is empty. Remove the key to get the connector's name.", [nameof(Topic)]);
        if (Topic.StartsWith("gateway.", StringComparison.Ordinal)) yield return new("Topics that begin with 'gateway.' are the gateway's own.", [nameof(Topic)]);
        if (Topic.LastIndexOf("${", StringComparison.Ordinal) > Topic.LastIndexOf('}')) yield return new("A placeholder is not closed. Add the missing '}'.", [nameof(Topic)]);
    }
}

/// <summary>How a reading becomes a record's value.</summary>
public enum RecordFormat
{
    /// <summary>A JSON object with device, tag, type, value, unit, quality and time.</summary>
    Json,

    /// <summary>The value alone, as text.</summary>
    Value,

    /// <summary>Opaque payloads, unchanged.</summary>
    Raw,
}

/// <summary>How times are written into records.</summary>
public enum TimeFormat
{
    /// <summary>ISO 8601 in UTC with six fraction digits.</summary>
    Iso,

    /// <summary>Milliseconds since 1970.</summary>
    EpochMs,

    /// <summary>Microseconds since 1970.</summary>
    EpochUs,
}

/// <summary>How 64 bit integers are written.</summary>
public enum Int64Format
{
    /// <summary>As JSON numbers.</summary>
    Number,

    /// <summary>As JSON strings.</summary>
    String,
}

/// <summary>Where a sink begins a topic it never delivered.</summary>
public enum StartFrom
{
    /// <summary>At the oldest record kept.</summary>
    Earliest,

    /// <summary>With the next record to arrive.</summary>
    Latest,
}
