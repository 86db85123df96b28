namespace IotGateway.Host.Bench.AgainstMosquitto;

/// <summary>How <c>bench mqtt</c> is to run.</summary>
/// <param name="Only">Scenarios; empty: all.</param>
/// <param name="Rounds">Rounds in which each program has one run.</param>
/// <param name="Messages">Messages a run.</param>
sealed record MqttBenchOptions(IReadOnlyCollection<string> Only, int Rounds, int Messages)
{
    /// <summary>What the figures are published with; about seven minutes.</summary>
    public static MqttBenchOptions Default { get; } = new([], 5, 200_000);
}
