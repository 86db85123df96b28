using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using IotGateway.Connect.Configs;
using IotGateway.Connect.Records;
using IotGateway.Sdk.Data;

namespace IotGateway.Connect.Commands;

/// <summary>What became of a command: a record of <c>gateway.outcomes</c>. Fields that do not apply are null, and all are always there.</summary>
sealed record Outcome
{
    public required string Gateway { get; init; }
    public required string? Id { get; init; }
    public string? Connector { get; init; }
    public string? Device { get; init; }
    public string? Tag { get; init; }

    /// <summary>confirmed, done, mismatch, refused, expired, failed, unknown, duplicate.</summary>
    public required string Status { get; init; }

    /// <summary>The check that refused.</summary>
    public string? Check { get; init; }
    public bool Final { get; init; } = true;

    /// <summary>Whether anything may have reached the device.</summary>
    public bool Sent { get; init; }
    public bool DryRun { get; init; }

    /// <summary>The device's own code.</summary>
    public string? Code { get; init; }
    public string? Reason { get; init; }
    public JsonElement? Requested { get; init; }
    public JsonElement? Observed { get; init; }
    public required OutcomeTimes Times { get; init; }
    public string? Issuer { get; init; }
    public required string Principal { get; init; }

    /// <summary>Of a repeat: where the first outcome is; pending while there is none.</summary>
    public FirstOutcome? First { get; init; }

    /// <summary>Number of this outcome on this gateway, without holes.</summary>
    public long Sequence { get; init; }

    /// <summary>Hash of the outcome before; this one's own hash covers it and is in the header <c>hash</c>.</summary>
    public string? Previous { get; init; }
}

/// <summary>When each stage was reached.</summary>
sealed record OutcomeTimes
{
    public string? Issued { get; init; }
    public required string Received { get; init; }
    public string? Intent { get; init; }
    public string? Sent { get; init; }
    public string? Answered { get; init; }
    public string? Decided { get; init; }
}

/// <summary>Where a command's first outcome is.</summary>
sealed record FirstOutcome(string Topic, long? Sequence, bool Pending);

/// <summary>A command as remembered in the table <c>connect.commands</c>.</summary>
sealed record CommandEntry
{
    public required string Hash { get; init; }
    public required int Partition { get; init; }
    public required long Offset { get; init; }
    public required DateTimeOffset At { get; init; }

    /// <summary>Number of its final outcome; null while only the intent is known.</summary>
    public long? Sequence { get; init; }

    /// <summary>The command itself, until it has its outcome.</summary>
    public JsonElement? Command { get; init; }
}

/// <summary>Head of the chain of outcomes, in the control table.</summary>
sealed record ChainHead(long Sequence, string Hash, DateTimeOffset At);

/// <summary>State of the kill switch, in the control table.</summary>
sealed record KillState(bool Engaged, string By, DateTimeOffset At);

/// <summary>JSON of commands and outcomes.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(Outcome))]
[JsonSerializable(typeof(CommandEntry))]
[JsonSerializable(typeof(ChainHead))]
[JsonSerializable(typeof(KillState))]
sealed partial class CommandJson : JsonSerializerContext
{
    static CommandJson() => Default = new(new JsonSerializerOptions(s_defaultOptions) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    public static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);

    public static JsonElement? Of(in Value value)
    {
        if (value.IsNone) return null;
        var text = new System.Buffers.ArrayBufferWriter<byte>();
        ValueJson.Write(text, value, TimeFormat.Iso, Int64Format.Number);
        using var document = JsonDocument.Parse(text.WrittenMemory);
        return document.RootElement.Clone();
    }
}
