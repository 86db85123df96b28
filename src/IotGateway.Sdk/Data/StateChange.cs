namespace IotGateway.Sdk.Data;

/// <summary>A change of a connector's durable state.</summary>
/// <param name="Key">The connector's own key.</param>
/// <param name="Value">The new value; null deletes.</param>
public readonly record struct StateChange(string Key, ReadOnlyMemory<byte>? Value);
