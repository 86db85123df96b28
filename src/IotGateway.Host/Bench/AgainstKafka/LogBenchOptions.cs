namespace IotGateway.Host.Bench.AgainstKafka;

/// <summary>How <c>bench log</c> is to run.</summary>
/// <param name="Kafka">Folder of the Apache Kafka.</param>
/// <param name="Only">Scenarios; empty: all.</param>
/// <param name="Rounds">Rounds of four runs each.</param>
/// <param name="Seconds">About how long one run is.</param>
sealed record LogBenchOptions(string Kafka, IReadOnlyCollection<string> Only, int Rounds, double Seconds);
