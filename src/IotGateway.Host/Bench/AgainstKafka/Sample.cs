namespace IotGateway.Host.Bench.AgainstKafka;

/// <summary>One measured run. Records are counted by the log's end offsets (or by the consumer that got them), never by the server's own word.</summary>
/// <param name="Records">How many.</param>
/// <param name="Elapsed">Wall time they took.</param>
/// <param name="Cpu">Processor time of the server meanwhile.</param>
readonly record struct Sample(long Records, TimeSpan Elapsed, TimeSpan Cpu)
{
    /// <summary>Records per second.</summary>
    public double Rate => Records / Elapsed.TotalSeconds;

    /// <summary>Records per second of the server's processor time: the rate of one core.</summary>
    public double PerCore => Records / Cpu.TotalSeconds;
}
