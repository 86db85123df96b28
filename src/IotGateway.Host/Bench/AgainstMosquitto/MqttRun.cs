namespace IotGateway.Host.Bench.AgainstMosquitto;

/// <summary>One run of one program.</summary>
/// <param name="Messages">How many it took.</param>
/// <param name="Elapsed">Wall time.</param>
/// <param name="Cpu">Its processor time; of all processes it consists of.</param>
/// <param name="Broker">The broker's processor time meanwhile.</param>
readonly record struct MqttRun(int Messages, TimeSpan Elapsed, TimeSpan Cpu, TimeSpan Broker)
{
    public double Rate => Messages / Elapsed.TotalSeconds;

    public double Micros => Cpu.TotalMicroseconds / Messages;

    /// <summary>How much of a core the broker used.</summary>
    public double BrokerShare => Broker / Elapsed;
}
