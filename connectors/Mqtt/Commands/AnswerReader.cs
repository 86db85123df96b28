using System.Text;
using IotGateway.Connectors.Mqtt.Mapping;
using IotGateway.Connectors.Mqtt.Protocol;
using IotGateway.Sdk;
using IotGateway.Sdk.Commands;

namespace IotGateway.Connectors.Mqtt.Commands;

/// <summary>What devices answer. Immutable.</summary>
sealed class AnswerReader(MqttAnswer config)
{
    const int MostText = 200; // of what a device says, in an outcome

    readonly JsonPath _id = Path(config.Id);
    readonly JsonPath? _result = config.Result is { } result ? Path(result) : null;
    readonly JsonPath? _reason = config.Reason is { } reason ? Path(reason) : null;

    /// <summary>Which command an answer is to: by correlation data, else by the id in it. Null when it does not say.</summary>
    public string? IdOf(PublishPacket answer)
    {
        if (answer.Properties.Data(PropertyId.CorrelationData) is { } correlation) return Encoding.UTF8.GetString(correlation.Span);
        using var json = JsonValues.Parse(answer.Payload, out _);
        return json is null ? null : Find(json.RootElement, _id);
    }

    /// <summary>What it says.</summary>
    public CommandResult Read(ReadOnlyMemory<byte> payload)
    {
        if (_result is null) return CommandResult.Done();
        using var json = JsonValues.Parse(payload, out var error);
        if (json is null) return CommandResult.Unknown($"The device answered, but not as agreed: {error}");
        if (Find(json.RootElement, _result) is not { } result) return CommandResult.Unknown($"The device answered, but the answer has nothing at {_result}.");
        if (result == config.Success) return CommandResult.Done(Short(result));
        return CommandResult.Failed(Short(result), Short(_reason is null ? null : Find(json.RootElement, _reason)) ?? $"The device answered '{Short(result)}'.");
    }

    static string? Find(System.Text.Json.JsonElement root, JsonPath path) => path.TryFind(root, out var value) ? JsonValues.Text(value) : null;

    static string? Short(string? text) => text is null ? null : string.Concat(text.Take(MostText).Select(c => char.IsControl(c) ? ' ' : c));

    static JsonPath Path(string text) => JsonPath.TryParse(text, out var error) ?? throw new PermanentException(error!);
}
