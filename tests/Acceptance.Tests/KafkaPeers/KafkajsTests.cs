namespace Acceptance.Tests.KafkaPeers;

/// <summary>npm's kafkajs. It speaks Produce 7, Fetch 11, and logs in by SaslAuthenticate.</summary>
public sealed class KafkajsTests : KafkaPeerTests
{
    static readonly string Installed = Path.Combine(Machine.Root, ".work/kafkajs");

    protected override bool IsIdempotent => true;

    protected override string Refusal => "KafkaJSSASLAuthenticationError";

    protected override async Task<string[]> ProgramAsync()
    {
        await using var script = Tool.Start(Path.Combine(Machine.Root, "tests/peers/kafkajs/prepare"), [Installed]);
        if (await script.WaitAsync(300) != 0) Assert.Skip($"kafkajs cannot be installed here: {script.Output}");
        return ["node", Path.Combine(Installed, "client.js")];
    }
}
