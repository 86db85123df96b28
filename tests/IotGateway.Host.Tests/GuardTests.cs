using Confluent.Kafka;
using IotGateway.Host.Cli;

namespace IotGateway.Host.Tests;

public sealed class GuardTests
{
    public static TheoryData<Exception, int> Ends => new()
    {
        { new TaskCanceledException("", new TimeoutException()), ExitCode.Failed }, // a gateway that hangs is not healthy
        { new OperationCanceledException(), ExitCode.Failed },
        { new CliException("wrong", ExitCode.Usage), ExitCode.Usage },
        { new KafkaException(ErrorCode.Local_Transport), ExitCode.Failed },
        { new IOException("disk"), ExitCode.Failed },
        { new FormatException("a fault of ours"), ExitCode.Failed },
    };

    [Theory, MemberData(nameof(Ends))]
    public async Task Whatever_a_command_ends_with_is_an_exit_code(Exception end, int code)
        => Assert.Equal(code, await GatewayCli.GuardAsync(() => Task.FromException<int>(end)));

    [Fact]
    public async Task What_only_runs_until_it_is_interrupted_is_done_then()
        => Assert.Equal(ExitCode.Done, await GatewayCli.GuardAsync(() => Task.FromException<int>(new OperationCanceledException()), interrupted: ExitCode.Done));

    [Fact]
    public void Nobody_there_is_said_with_the_address()
    {
        using var consumer = KafkaClients.Consumer("127.0.0.1:1", null);
        Assert.Contains("127.0.0.1:1", KafkaClients.Explain(new Error(ErrorCode.Local_Transport)), StringComparison.Ordinal);
    }
}
