using System.ComponentModel.DataAnnotations;
using IotGateway.Connectors.Mqtt.Mapping;
using IotGateway.Sdk.Config;

namespace IotGateway.Connectors.Mqtt.Commands;

/// <summary>How commands reach devices, and how they answer.</summary>
public sealed record MqttCommands : IValidatableObject
{
    /// <summary>Command topic.</summary>
    [Option("Topic a command is published to: text with ${device}, ${tag}, ${clientId}, ${gateway}, ${connector}.", Example = "plant/${device}/set/${tag}")]
    public required string Topic { get; init; }

    /// <summary>Payload.</summary>
    [Option("What is published: json with id, device, tag, value and deadline; or value, the value alone as text, which needs answers that repeat the correlation data (5.0).")]
    public CommandPayload Payload { get; init; } = CommandPayload.Json;

    /// <summary>QoS.</summary>
    [Option("Quality of service of commands. A 3.1.1 broker may keep those of QoS 1 and 2 for a device that is away and deliver them late; 5.0 lets them expire.", Advanced = true), Range(0, 2)]
    public int Qos { get; init; } = 1;

    /// <summary>Answers.</summary>
    [Option("How the device answers.")]
    public MqttAnswer Answer { get; init; } = new();

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (CommandTemplates.Parse(Topic, Placeholders.Names, out var error) is null) yield return new(error, [nameof(Topic)]);
        if (Topic.AsSpan().IndexOfAny('+', '#') >= 0) yield return new("A topic to publish to holds no '+' or '#'.", [nameof(Topic)]);
    }
}

/// <summary>How a device answers a command.</summary>
public sealed record MqttAnswer : IValidatableObject
{
    /// <summary>Answer topic.</summary>
    [Option("Topic the device answers on; the same placeholders as the command's topic. Default: a topic of this connector's own, told to the device as response topic (5.0 only).", Example = "plant/${device}/ack")]
    public string? Topic { get; init; }

    /// <summary>Where the id stands.</summary>
    [Option("Where a JSON answer repeats the command's id; not needed when it repeats the correlation data (5.0).")]
    public string Id { get; init; } = "$.id";

    /// <summary>Where the result stands.</summary>
    [Option("Where a JSON answer says whether it was done. Default: any answer means done.", Example = "$.status")]
    public string? Result { get; init; }

    /// <summary>What success is.</summary>
    [Option("What stands there when it was done; anything else means the device refused it.", Example = "ok")]
    public string Success { get; init; } = "ok";

    /// <summary>Where the reason stands.</summary>
    [Option("Where a JSON answer says in words why it was refused.", Advanced = true)]
    public string? Reason { get; init; }

    /// <summary>How long to wait.</summary>
    [Option("How long to wait for the answer; then the outcome is unknown."), Range(typeof(TimeSpan), "00:00:00.100", "00:00:25")]
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Topic is not null && CommandTemplates.Parse(Topic, Placeholders.Names, out var error) is null) yield return new(error, [nameof(Topic)]);
        foreach (var (name, path) in new[] { (nameof(Id), Id), (nameof(Result), Result), (nameof(Reason), Reason) })
            if (path is not null && JsonPath.TryParse(path, out var wrong) is not { HasWildcard: false, IsRelative: false })
                yield return new(wrong ?? "The path names one field of the answer, as in $.status.", [name]);
    }
}

/// <summary>What a command's payload is.</summary>
public enum CommandPayload
{
    /// <summary>An object with id, device, tag, value and deadline.</summary>
    Json,

    /// <summary>The value alone.</summary>
    Value,
}
