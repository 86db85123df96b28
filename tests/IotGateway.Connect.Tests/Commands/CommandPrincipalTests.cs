using System.Text.Json;
using IotGateway.Connect.Tests.Tasks;

namespace IotGateway.Connect.Tests.Commands;

/// <summary>Who may command, and that two principals are two.</summary>
public sealed class CommandPrincipalTests : CommandBench
{
    [Fact]
    public async Task A_command_without_a_principal_is_refused_and_its_repeats_are_not_final()
    {
        await StartAsync();
        var json = Json("a");
        await _log.ProduceAsync(null, "gateway.commands", [json, json]);
        await _log.UntilAsync(() => Outcomes.Count == 2, "both");
        Assert.Equal([("refused", "principal", true, false), ("refused", "principal", false, false)], Outcomes.Select(Short));
        Assert.Equal("none", Outcomes[0].GetProperty("principal").GetString());
        Assert.Equal(0, Executed);
    }

    [Fact]
    public async Task A_topic_that_is_trusted_needs_no_principal()
    {
        _config = _config with { TrustTopic = true };
        await StartAsync();
        await _log.ProduceAsync(null, "gateway.commands", [Json("a")]);
        await _log.UntilAsync(() => Outcomes.Count == 1, "outcome");
        Assert.Equal("done", Outcomes[0].GetProperty("status").GetString());
    }

    [Theory, InlineData("User:mes", "done"), InlineData("User:guest", "refused"), InlineData("gateway:rest", "refused")]
    public async Task Only_those_named_may_command(string principal, string status)
    {
        _config = _config with { Principals = ["User:mes"] };
        await StartAsync();
        await _log.ProduceAsync(principal, "gateway.commands", [Json("a")]);
        await _log.UntilAsync(() => Outcomes.Count == 1, "outcome");
        Assert.Equal((status, principal), (Outcomes[0].GetProperty("status").GetString(), Outcomes[0].GetProperty("principal").GetString()));
    }

    [Fact]
    public async Task The_same_id_of_two_principals_is_two_commands()
    {
        await StartAsync();
        await _log.ProduceAsync("User:mes", "gateway.commands", [Json("a", 60)]);
        await _log.ProduceAsync("User:hmi", "gateway.commands", [Json("a", 61)]);
        await _log.UntilAsync(() => Outcomes.Count == 2, "both");
        Assert.Equal(["User:hmi done", "User:mes done"], Outcomes.Select(Told).Order());
        Assert.Equal(2, Executed);
    }

    [Fact]
    public async Task Who_waits_is_told_the_outcome_of_its_own_command()
    {
        var go = new TaskCompletionSource();
        _script.Execute = async (c, gate, _) =>
        {
            await gate.EnterAsync();
            if (c.Device == "press2") await go.Task;
            return Sdk.Commands.CommandResult.Done();
        };
        await StartAsync();
        var waiting = SendAsync(Json("a", device: "press2"));
        await Gateway.UntilAsync(() => Executed == 1, "executing");
        await _log.ProduceAsync("User:mes", "gateway.commands", [Json("a")]);
        await _log.UntilAsync(() => Outcomes.Count == 1, "the other");
        Assert.False(waiting.IsCompleted);
        go.SetResult();
        Assert.Equal("gateway:rest done", Told(await waiting));
    }

    static string Told(JsonElement outcome) => $"{outcome.GetProperty("principal").GetString()} {outcome.GetProperty("status").GetString()}";
}
