using System.Text;
using System.Text.Json;
using IotGateway.Connectors.Mqtt;
using IotGateway.Connectors.Mqtt.Commands;
using IotGateway.Connectors.Mqtt.Protocol;
using IotGateway.Sdk;
using IotGateway.Sdk.Commands;
using IotGateway.Sdk.Config;
using IotGateway.Sdk.Data;
using IotGateway.Testing;
using IotGateway.Tests.Mqtt.Brokers;
using IotGateway.Tests.Mqtt.Client;

namespace IotGateway.Tests.Mqtt.Commands;

/// <summary>Commands to devices behind a broker, and what becomes of them.</summary>
public sealed class CommandTests
{
    static readonly MqttDevice[] Devices = [new() { Name = "press1", Tags = [new() { Name = "setpoint", Write = new() { Min = 0, Max = 100 } }] }];

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    static MqttConfig Config(string address, MqttAnswer? answer = null) => new()
    {
        Endpoint = new Endpoints(address), ClientId = "gw", Subscriptions = [], Devices = Devices,
        Commands = new() { Topic = "plant/${device}/set/${tag}", Answer = (answer ?? new()) with { Timeout = TimeSpan.FromSeconds(2) } },
    };

    static Command Set(double value) => new() { Id = "c1", Device = "press1", Tag = "setpoint", Value = Value.Of(value), Deadline = TimeProvider.System.GetUtcNow().AddSeconds(30) };

    static async Task<MqttSource> OpenAsync(MqttConfig config)
    {
        var source = (MqttSource)new MqttFactory().Create(config, new FakeContext(new DurableStore()));
        await source.OpenAsync(OpenMode.Run, Ct);
        return source;
    }

    static string Text(ReadOnlyMemory<byte>? bytes) => Encoding.UTF8.GetString(bytes!.Value.Span);

    [Theory]
    [InlineData("""{"status":"ok"}""", CommandResultKind.Done, "ok", null)]
    [InlineData("""{"status":"locked","why":"guard open"}""", CommandResultKind.Failed, "locked", "guard open")]
    [InlineData("""{"status":false}""", CommandResultKind.Failed, "false", "'false'")]
    [InlineData("""{"x":1}""", CommandResultKind.Unknown, null, "$.status")]
    [InlineData("done", CommandResultKind.Unknown, null, "no JSON")]
    public async Task The_answer_with_the_correlation_data_decides(string answer, CommandResultKind kind, string? code, string? reason)
    {
        await using var broker = await Mosquitto.StartAsync();
        await using var device = await Clients.ConnectAsync(broker.Address, "device", "plant/#");
        await using var source = await OpenAsync(Config(broker.Address, new() { Result = "$.status", Reason = "$.why" }));
        var gate = new Gate();
        var executing = source.ExecuteAsync(Set(42.5), gate, Ct).AsTask();
        var command = await device.NextAsync();
        Assert.Equal("plant/press1/set/setpoint", Text(command.Topic));
        using var json = JsonDocument.Parse(command.Payload);
        Assert.Equal((42.5, "press1", "setpoint", "c1"), (json.RootElement.GetProperty("value").GetDouble(), json.RootElement.GetProperty("device").GetString(), json.RootElement.GetProperty("tag").GetString(), json.RootElement.GetProperty("command").GetString()));
        Assert.InRange(command.Properties.Number(PropertyId.MessageExpiry)!.Value, 1u, 2u);
        await device.PublishAsync(command.Properties.Text(PropertyId.ResponseTopic)!, """{"status":"ok"}""", properties: new PropertiesBuilder().Data(PropertyId.CorrelationData, "another"u8).Build());
        await device.PublishAsync(command.Properties.Text(PropertyId.ResponseTopic)!, answer, properties: new PropertiesBuilder().Data(PropertyId.CorrelationData, command.Properties.Data(PropertyId.CorrelationData)!.Value.Span).Build());
        var result = await executing;
        Assert.Equal((kind, code), (result.Kind, result.Code));
        if (reason is not null) Assert.Contains(reason, result.Reason, StringComparison.Ordinal);
        Assert.Equal(1, gate.Asked);
        await source.CloseAsync(CloseReason.Stop, Ct);
    }

    [Theory]
    [InlineData("3.1.1")]
    [InlineData("5.0")]
    public async Task An_answer_on_the_devices_own_topic_is_found_by_its_id(string version)
    {
        await using var broker = await Mosquitto.StartAsync();
        await using var device = await Clients.ConnectAsync(broker.Address, "device", "plant/+/set/#");
        await using var source = await OpenAsync(Config(broker.Address, new() { Topic = "plant/${device}/ack", Id = "$.re" }) with { Version = version });
        var executing = source.ExecuteAsync(Set(1), new Gate(), Ct).AsTask();
        using var json = JsonDocument.Parse((await device.NextAsync()).Payload);
        await device.PublishAsync("plant/press1/ack", """{"re":"else"}""");
        await device.PublishAsync("plant/press1/ack", JsonSerializer.Serialize(new { re = json.RootElement.GetProperty("id").GetString() }));
        Assert.Equal(CommandResultKind.Done, (await executing).Kind);
    }

    [Fact]
    public async Task No_answer_is_unknown_and_a_late_one_changes_nothing()
    {
        await using var broker = await Mosquitto.StartAsync();
        await using var device = await Clients.ConnectAsync(broker.Address, "device", "plant/#");
        await using var source = await OpenAsync(Config(broker.Address));
        var result = await source.ExecuteAsync(Set(1), new Gate(), Ct);
        Assert.Equal(CommandResultKind.Unknown, result.Kind);
        Assert.Contains("plant/press1/set/setpoint", result.Reason, StringComparison.Ordinal);
        var command = await device.NextAsync();
        await device.PublishAsync(command.Properties.Text(PropertyId.ResponseTopic)!, "", properties: new PropertiesBuilder().Data(PropertyId.CorrelationData, command.Properties.Data(PropertyId.CorrelationData)!.Value.Span).Build());
        Assert.Equal(CommandResultKind.Failed, (await source.ExecuteAsync(Set(1) with { Tag = null, Method = "m" }, new Gate(), Ct)).Kind);
    }

    [Fact]
    public async Task A_device_that_is_not_there_is_a_failure_because_nothing_was_delivered()
    {
        await using var broker = await Mosquitto.StartAsync();
        await using var source = await OpenAsync(Config(broker.Address));
        var result = await source.ExecuteAsync(Set(1), new Gate(), Ct);
        Assert.Equal((CommandResultKind.Failed, "mqtt:0x10"), (result.Kind, result.Code));
    }

    [Fact]
    public async Task A_shut_gate_sends_nothing()
    {
        await using var broker = await Mosquitto.StartAsync();
        await using var device = await Clients.ConnectAsync(broker.Address, "device", "plant/#");
        await using var source = await OpenAsync(Config(broker.Address));
        Assert.Equal(CommandResultKind.NotSent, (await source.ExecuteAsync(Set(1), new Gate(open: false), Ct)).Kind);
        await Assert.ThrowsAsync<OperationCanceledException>(() => device.NextAsync(seconds: 1));
    }

    [Fact]
    public async Task A_connection_lost_before_the_answer_is_unknown_and_ends_the_instance()
    {
        await using var broker = new FakeBroker();
        var source = (MqttSource)new MqttFactory().Create(Config(broker.Address) with { Version = "5.0" }, new FakeContext(new DurableStore()));
        var opening = source.OpenAsync(OpenMode.Run, Ct).AsTask();
        var telemetry = await broker.AcceptAsync();
        await telemetry.WelcomeAsync();
        var commands = await broker.AcceptAsync();
        await commands.WelcomeAsync();
        Assert.Equal("gw-commands", commands.Connect.ClientId);
        await commands.GrantAsync();
        await opening;
        var executing = source.ExecuteAsync(Set(1), new Gate(), Ct).AsTask();
        var sent = await commands.ReadAsync<PublishPacket>();
        await commands.SendAsync(new AckPacket(PacketType.PubAck, sent.PacketId));
        await commands.DisposeAsync();
        Assert.Equal(CommandResultKind.Unknown, (await executing).Kind);
        await Assert.ThrowsAnyAsync<IOException>(async () =>
        {
            await foreach (var _ in source.ReadAsync(Ct)) Assert.Fail("no batch was expected");
        });
        var gate = new Gate();
        await Assert.ThrowsAsync<IOException>(async () => await source.ExecuteAsync(Set(2), gate, Ct));
        Assert.Equal(0, gate.Asked);
        await source.DisposeAsync();
    }

    [Fact]
    public async Task A_broker_that_refuses_the_command_is_a_failure()
    {
        await using var broker = new FakeBroker();
        var source = (MqttSource)new MqttFactory().Create(Config(broker.Address) with { Version = "5.0" }, new FakeContext(new DurableStore()));
        var opening = source.OpenAsync(OpenMode.Run, Ct).AsTask();
        await (await broker.AcceptAsync()).WelcomeAsync();
        var commands = await broker.AcceptAsync();
        await commands.WelcomeAsync();
        await commands.GrantAsync();
        await opening;
        var executing = source.ExecuteAsync(Set(1), new Gate(), Ct).AsTask();
        await commands.SendAsync(new AckPacket(PacketType.PubAck, (await commands.ReadAsync<PublishPacket>()).PacketId, ReasonCode.NotAuthorized));
        var result = await executing;
        Assert.Equal((CommandResultKind.Failed, "mqtt:0x87"), (result.Kind, result.Code));
        await source.DisposeAsync();
    }

    [Fact]
    public async Task Version_3_1_1_needs_an_answer_topic_and_says_so()
    {
        await using var broker = await Mosquitto.StartAsync();
        var error = await Assert.ThrowsAsync<PermanentException>(() => OpenAsync(Config(broker.Address) with { Version = "3.1.1" }));
        Assert.Contains("commands.answer.topic", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Changed_commands_need_a_restart_and_unchanged_ones_do_not()
    {
        await using var broker = await Mosquitto.StartAsync();
        var config = Config(broker.Address);
        await using var source = await OpenAsync(config);
        Assert.Equal(["press1/setpoint"], new MqttFactory().Tags(config).Select(t => $"{t.Device}/{t.Name}"));
        var same = config with { Commands = config.Commands! with { }, Devices = [.. Devices.Select(d => d with { Tags = [.. d.Tags] })], Subscriptions = [new() { Filter = "a" }] };
        Assert.IsType<ApplyResult.Applied>(await source.TryApplyAsync(same, Ct));
        var other = same with { Devices = [Devices[0] with { Tags = [Devices[0].Tags[0] with { Write = new() { Min = 0, Max = 101 } }] }] };
        Assert.IsType<ApplyResult.NeedsRestart>(await source.TryApplyAsync(other, Ct));
    }

    sealed class Gate(bool open = true) : ISendGate
    {
        public int Asked { get; private set; }

        public ValueTask<bool> EnterAsync()
        {
            Asked++;
            return new(open);
        }
    }
}
