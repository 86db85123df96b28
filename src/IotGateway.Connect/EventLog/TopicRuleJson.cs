using System.Text.Json.Serialization;

namespace IotGateway.Connect.EventLog;

/// <summary>JSON of the rules that were last in force.</summary>
[JsonSourceGenerationOptions(UseStringEnumConverter = true)]
[JsonSerializable(typeof(KeptRule[]))]
sealed partial class TopicRuleJson : JsonSerializerContext;
