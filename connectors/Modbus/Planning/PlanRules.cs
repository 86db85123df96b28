namespace IotGateway.Connectors.Modbus.Planning;

/// <summary>What a plan costs and may not exceed.</summary>
/// <param name="PerRequest">Cost of a request, in elements.</param>
/// <param name="PerElement">Cost of an element.</param>
/// <param name="MaxLength">Most elements of one request.</param>
/// <param name="MaxGap">Most unwanted elements read between two wanted ones.</param>
internal readonly record struct PlanRules(double PerRequest, double PerElement, int MaxLength, int MaxGap);
