using IotGateway.Connectors.Sparkplug.Wire;
using IotGateway.Sdk.Data;

namespace IotGateway.Connectors.Sparkplug.Plant;

/// <summary>A metric as its birth defined it. Immutable.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Alias">The number that stands for the name until the next birth.</param>
/// <param name="Type">Its type.</param>
/// <param name="Tag">Its tag; null for what is no data of the plant (Node Control, template definitions) and above <c>limits.tags</c>.</param>
sealed record MetricPoint(string Name, ulong? Alias, MetricType Type, Tag? Tag);
