namespace IotGateway.Connectors.Modbus.Planning;

/// <summary>One request of a plan.</summary>
/// <param name="Span">What it reads.</param>
/// <param name="Items">Indices of the spans it serves, by ascending start.</param>
internal readonly record struct PlannedRequest(Span Span, IReadOnlyList<int> Items);
