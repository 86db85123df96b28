using System.Collections.Concurrent;
using System.Text;
using Google.Protobuf;
using IotGateway.Connectors.Mqtt.Client;
using IotGateway.Connectors.Mqtt.Protocol;
using IotGateway.Connectors.Sparkplug.Plant;
using IotGateway.Connectors.Sparkplug.Wire;
using IotGateway.Sdk.Commands;
using IotGateway.Sdk.Data;

namespace IotGateway.Connectors.Sparkplug.Commands;

/// <summary>
/// Sends NCMD and DCMD. Sparkplug has no answers: a command is done when the edge node reports the value that was written, or, of a metric
/// below Node Control, when its next birth comes. Thread-safe.
/// </summary>
sealed class CommandSender(PlantModel plant, TimeSpan timeout, TimeProvider time)
{
    const string NodeControl = "Node Control/";
    static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    readonly ConcurrentDictionary<Waiting, bool> _waiting = new();

    /// <summary>Sends one, and waits for its effect.</summary>
    /// <param name="client">The connection.</param>
    /// <param name="ended">Completes when it ends.</param>
    /// <param name="command">What to write.</param>
    /// <param name="gate">Asked just before.</param>
    /// <param name="ct">Cancels until then.</param>
    public async ValueTask<CommandResult> ExecuteAsync(MqttClient client, Task ended, Command command, ISendGate gate, CancellationToken ct)
    {
        if (command.Tag is not { } name) return CommandResult.Failed(null, "Sparkplug has metrics to write, no methods.");
        var ((edge, device, point), refusal) = await FindAsync(command.Device, name, ct).ConfigureAwait(false);
        if (refusal is not null) return CommandResult.Failed("sparkplug:not-there", refusal);
        var metric = new Metric { Timestamp = Now };
        // The alias alone where there is one (Sparkplug 3.0 §6.4.6).
        if (point.Alias is { } alias) metric.Alias = alias;
        else metric.Name = point.Name;
        Value expected;
        try
        {
            MetricWriter.Write(metric, point.Type, command.Value, point.IsLong);
            var room = 0;
            expected = MetricValue.Read(metric, point.Type, ref room);
        }
        catch (PayloadException e)
        {
            return CommandResult.Failed("sparkplug:type", e.Message);
        }
        if (ended.IsCompleted) throw new IOException("The connection is lost.");
        ct.ThrowIfCancellationRequested();
        var waiting = new Waiting(edge, point.Name.StartsWith(NodeControl, StringComparison.Ordinal) ? null : point.Tag, expected);
        _waiting[waiting] = true;
        try
        {
            return await gate.EnterAsync().ConfigureAwait(false) ? await SendAsync(client, ended, SparkplugTopic.Command(edge.Group, edge.Edge, device), metric, waiting).ConfigureAwait(false) : CommandResult.NotSent;
        }
        finally
        {
            _waiting.TryRemove(waiting, out _);
        }
    }

    /// <summary>Asks an edge node for its births.</summary>
    public Task RebirthAsync(MqttClient client, EdgeKey edge, CancellationToken ct)
        => client.PublishAsync(Message(SparkplugTopic.Command(edge.Group, edge.Edge, null), new Metric { Name = NodeControl + "Rebirth", Timestamp = Now, Datatype = (uint)MetricType.Boolean, BooleanValue = true }), ct);

    /// <summary>Looks whether what came is what a command waits for.</summary>
    public void Observe(PlantOutput output)
    {
        if (_waiting.IsEmpty) return;
        foreach (var (waiting, _) in _waiting)
        {
            if (waiting.Tag is null && output.Born.Contains(waiting.Edge)) waiting.Seen.TrySetResult();
            foreach (var reading in output.Readings)
                if (ReferenceEquals(reading.Tag, waiting.Tag) && !reading.Backfill && reading.Quality != Quality.Bad) waiting.Compare(reading.Value);
        }
    }

    async Task<CommandResult> SendAsync(MqttClient client, Task ended, string topic, Metric metric, Waiting waiting)
    {
        using var limit = new CancellationTokenSource(timeout, time);
        try
        {
            await client.PublishAsync(Message(topic, metric), limit.Token).ConfigureAwait(false);
            var first = await Task.WhenAny(waiting.Seen.Task, ended).WaitAsync(limit.Token).ConfigureAwait(false);
            return first == waiting.Seen.Task ? CommandResult.Done("sparkplug:reported") : CommandResult.Unknown("The connection was lost before the edge node reported the value.");
        }
        catch (IOException e)
        {
            return CommandResult.Unknown(e.Message);
        }
        catch (OperationCanceledException)
        {
            var seen = waiting.Other is { } other ? $"reported {other} instead" : waiting.Tag is null ? "was not born anew" : "reported no value";
            return CommandResult.Unknown($"The edge node '{waiting.Edge}' {seen} within {timeout.TotalSeconds:0.###} s.");
        }
    }

    // A birth that is on its way is waited for: until then an alias may mean another metric, and a command must not go there.
    async ValueTask<(Target Target, string? Refusal)> FindAsync(string device, string metric, CancellationToken ct)
    {
        for (var since = time.GetTimestamp(); ;)
        {
            var (target, refusal, soon) = plant.Look(edges => Find(edges, device, metric));
            if (!soon || time.GetElapsedTime(since) >= timeout) return (target, refusal);
            await Task.Delay(Look, time, ct).ConfigureAwait(false);
        }
    }

    static (Target Target, string? Refusal, bool Soon) Find(IReadOnlyCollection<EdgeNode> edges, string name, string metric)
    {
        var (edge, device) = edges.SelectMany(e => e.Devices.Prepend(e.Node), (e, d) => (e, d)).FirstOrDefault(p => p.d.Name == name);
        if (device is null) return (default, $"There is no device '{name}': its edge node has not been born.", false);
        if (edge.Alive && (edge.IsDoubtful || device.BirthDue is not null)) return (default, $"'{name}' has not been born anew after messages of its edge node were lost.", true);
        if (!edge.Alive || !device.Alive) return (default, $"'{name}' is offline.", false);
        return device.Find(metric) is { } point ? (new(edge.Key, device.Id, point), null, false) : (default, $"'{name}' has no metric '{metric}' in its birth.", false);
    }

    readonly record struct Target(EdgeKey Edge, string? Device, MetricPoint Point);

    static PublishPacket Message(string topic, Metric metric)
        => new() { Topic = Encoding.UTF8.GetBytes(topic), Payload = new Payload { Timestamp = metric.Timestamp, Metrics = { metric } }.ToByteArray() };

    ulong Now => (ulong)time.GetUtcNow().ToUnixTimeMilliseconds();

    sealed class Waiting(EdgeKey edge, Tag? tag, Value expected)
    {
        public EdgeKey Edge => edge;

        /// <summary>The tag to show the value; null waits for the birth.</summary>
        public Tag? Tag => tag;

        public TaskCompletionSource Seen { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>Another value that was reported.</summary>
        public string? Other { get; private set; }

        public void Compare(Value value)
        {
            if (value == expected) Seen.TrySetResult();
            else Other = value.ToString();
        }
    }
}
