using IotGateway.Connectors.Sparkplug.Wire;
using IotGateway.Sdk.Data;

namespace IotGateway.Connectors.Sparkplug.Plant;

/// <summary>A metric as its birth defined it. Immutable.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Alias">The number that stands for the name until the next birth.</param>
/// <param name="Type">Its type.</param>
/// <param name="Tag">Its tag; null for what is no data of the plant (Node Control, template definitions) and above <c>limits.tags</c>.</param>
/// <param name="IsLong">Its value stands in the 64 bit field, where libraries put some integers of 32 bits; what is written to it does, too.</param>
sealed record MetricPoint(string Name, ulong? Alias, MetricType Type, Tag? Tag, bool IsLong);
