namespace IotGateway.Broker.Tests.Security;

/// <summary>Tests that measure the memory of the process: no others run beside them.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
