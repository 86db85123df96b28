namespace Acceptance.Tests.KafkaPeers;

/// <summary>Debian's python3-kafka: kafka-python 2.0.2. It speaks Produce 7, Fetch 4, FindCoordinator 0, and logs in by SaslHandshake 0 with raw frames after it.</summary>
public sealed class KafkaPythonTests : KafkaPeerTests
{
    const string Python = "/usr/bin/python3";

    /// <summary>It has no producer ids.</summary>
    protected override bool IsIdempotent => false;

    /// <summary>Whose connection is closed, as Kafka does after handshake 0, knows nothing more.</summary>
    protected override string Refusal => "NoBrokersAvailable";

    protected override Task<string[]> ProgramAsync()
    {
        foreach (var module in (string[])["kafka", "snappy", "lz4", "zstandard"])
            if (!Directory.Exists("/usr/lib/python3/dist-packages/" + module)) Assert.Skip($"python3-{module} is not installed.");
        return Task.FromResult<string[]>([Python, Path.Combine(Machine.Root, "tests/peers/kafka-python/client.py")]);
    }
}
