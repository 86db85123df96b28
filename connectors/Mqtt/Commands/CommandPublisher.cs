using System.Collections.Concurrent;
using System.Text;
using IotGateway.Connectors.Mqtt.Client;
using IotGateway.Connectors.Mqtt.Mapping;
using IotGateway.Connectors.Mqtt.Protocol;
using IotGateway.Sdk;
using IotGateway.Sdk.Commands;

namespace IotGateway.Connectors.Mqtt.Commands;

/// <summary>
/// Publishes commands and waits for their answers, over a connection and clean session of its own: an answer never queues behind
/// telemetry that waits for the disk, and a session's backlog never holds an old answer. Thread-safe.
/// </summary>
sealed class CommandPublisher : IMqttHandler, IAsyncDisposable
{
    const int FiltersPerPacket = 100;

    readonly MqttCommands _config;
    readonly TimeProvider _time;
    readonly TopicTemplate _topic;
    readonly TopicTemplate? _answerTopic;
    readonly string _ownTopic;
    readonly AnswerReader _answers;
    readonly ConcurrentDictionary<string, TaskCompletionSource<PublishPacket>> _waiting = new();
    BrokerLink? _link;

    CommandPublisher(MqttCommands config, ConnectorContext context, string clientId)
    {
        (_config, _time, _answers) = (config, context.Time, new(config.Answer));
        var names = Placeholders.Of(clientId, context.Gateway, context.Name);
        TopicTemplate Read(string text) => CommandTemplates.Parse(text, names, out var error) ?? throw new PermanentException(error!);
        _topic = Read(config.Topic);
        _answerTopic = config.Answer.Topic is { } answer ? Read(answer) : null;
        _ownTopic = "iotgateway/answers/" + clientId.Replace('+', '_').Replace('#', '_');
    }

    /// <summary>Connects and subscribes to the answers.</summary>
    public static async Task<CommandPublisher> OpenAsync(MqttConfig config, ConnectorContext context, BrokerSession broker, OpenMode mode, CancellationToken ct)
    {
        var publisher = new CommandPublisher(config.Commands!, context, broker.ClientId);
        try
        {
            var link = publisher._link = await BrokerLink.OpenAsync(broker, publisher, mode, ct).ConfigureAwait(false);
            await publisher.SubscribeAsync(link.Client, config.Devices, ct).ConfigureAwait(false);
            return publisher;
        }
        catch
        {
            await publisher.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Why the connection ended; null while it lives.</summary>
    public Exception? End => _link?.End;

    /// <summary>Completes when the connection has ended.</summary>
    public Task Ended => _link?.Ended ?? Task.CompletedTask;

    async Task SubscribeAsync(MqttClient client, IReadOnlyList<MqttDevice> devices, CancellationToken ct)
    {
        if (_answerTopic is null && client.Version != MqttVersion.V5)
            throw new PermanentException($"{client.Address} speaks MQTT 3.1.1, which has no response topics: set commands.answer.topic to the topic the devices answer on.");
        var topics = _answerTopic is null ? [_ownTopic]
            : devices.SelectMany(d => d.Tags, (d, t) => CommandTemplates.Expand(_answerTopic, d.Name, t.Name)).Distinct(StringComparer.Ordinal);
        foreach (var chunk in topics.Chunk(FiltersPerPacket))
        {
            var reasons = await client.SubscribeAsync(Array.ConvertAll(chunk, t => SubscribeFilter.Of(t, 0)), null, ct).ConfigureAwait(false);
            for (var i = 0; i < chunk.Length; i++)
                if ((byte)reasons[i] >= 0x80)
                    throw new PermanentException($"{client.Address} refused to subscribe to the answers on '{chunk[i]}': {reasons[i].Text()}. Change commands.answer.topic or the broker's permissions.");
        }
    }

    public async ValueTask<CommandResult> ExecuteAsync(Command command, ISendGate gate, CancellationToken ct)
    {
        if (command.Tag is not { } tag) return CommandResult.Failed(null, "A device behind MQTT has tags to write, no methods.");
        if (_link is not { End: null } link) throw new IOException($"The connection for commands is lost. {End?.Message}".TrimEnd(), End);
        ct.ThrowIfCancellationRequested();
        var id = Guid.NewGuid().ToString("N");
        var message = Make(command, tag, id, link.Client);
        if (link.Client.Server.Refusal(message) is { } refusal) return CommandResult.Failed(null, refusal);
        var answer = _waiting[id] = new(TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            return await gate.EnterAsync().ConfigureAwait(false) ? await SendAsync(link, message, answer.Task).ConfigureAwait(false) : CommandResult.NotSent;
        }
        finally
        {
            _waiting.TryRemove(id, out _);
        }
    }

    async Task<CommandResult> SendAsync(BrokerLink link, PublishPacket message, Task<PublishPacket> answer)
    {
        using var limit = new CancellationTokenSource(_config.Answer.Timeout, _time);
        var topic = Encoding.UTF8.GetString(message.Topic.Span);
        try
        {
            var sending = link.Client.PublishAsync(message, limit.Token);
            _ = sending.ContinueWith(static t => _ = t.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            // The answer may overtake the broker's acknowledgement.
            if (await Task.WhenAny(sending, answer).WaitAsync(limit.Token).ConfigureAwait(false) == sending && await sending.ConfigureAwait(false) == ReasonCode.NoMatchingSubscribers)
                return CommandResult.Failed(ReasonCode.NoMatchingSubscribers.Code(), $"Nobody subscribes to '{topic}': the device is not connected.");
            if (await Task.WhenAny(answer, link.Ended).WaitAsync(limit.Token).ConfigureAwait(false) == answer) return _answers.Read((await answer.ConfigureAwait(false)).Payload);
            return CommandResult.Unknown($"The connection was lost before the device answered. {link.End?.Message}".TrimEnd());
        }
        catch (MqttRefusedException e)
        {
            return CommandResult.Failed(e.Reason.Code(), e.Message);
        }
        catch (IOException e)
        {
            return CommandResult.Unknown(e.Message);
        }
        catch (OperationCanceledException)
        {
            return CommandResult.Unknown($"The device did not answer the command on '{topic}' within {_config.Answer.Timeout.TotalSeconds:0.###} s.");
        }
    }

    PublishPacket Make(Command command, string tag, string id, MqttClient client)
    {
        var properties = new PropertiesBuilder();
        if (client.Version == MqttVersion.V5)
        {
            var left = command.Deadline - _time.GetUtcNow();
            // A device that comes back later must not act on it any more (§3.3.2.3.3).
            properties.Number(PropertyId.MessageExpiry, (uint)Math.Clamp(Math.Ceiling(Math.Min(left.TotalSeconds, _config.Answer.Timeout.TotalSeconds)), 1, 3_600))
                .Text(PropertyId.ResponseTopic, _answerTopic is null ? _ownTopic : CommandTemplates.Expand(_answerTopic, command.Device, tag))
                .Data(PropertyId.CorrelationData, Encoding.UTF8.GetBytes(id));
        }
        return new()
        {
            Topic = Encoding.UTF8.GetBytes(CommandTemplates.Expand(_topic, command.Device, tag)), Qos = (byte)_config.Qos, Properties = properties.Build(),
            Payload = _config.Payload == CommandPayload.Json ? CommandText.Json(command, id) : CommandText.Plain(command),
        };
    }

    ValueTask IMqttHandler.OnPublishAsync(PublishPacket packet, CancellationToken ct)
    {
        // An answer nobody waits for any more is no news: the outcome has been written.
        if (!_waiting.IsEmpty && _answers.IdOf(packet) is { } id && _waiting.TryGetValue(id, out var waiting)) waiting.TrySetResult(packet.Detach());
        return default;
    }

    ValueTask IMqttHandler.OnReleaseAsync(ushort packetId, CancellationToken ct) => default;

    void IMqttHandler.OnPong(long ping) { }

    ValueTask IMqttHandler.OnTickAsync() => default;

    public async ValueTask DisposeAsync()
    {
        if (_link is { } link) await link.DisposeAsync().ConfigureAwait(false);
    }
}
