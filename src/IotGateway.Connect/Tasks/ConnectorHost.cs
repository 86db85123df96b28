using IotGateway.Connect.Configs;
using IotGateway.Connect.Health;
using IotGateway.Connect.Records;
using IotGateway.Sdk;
using IotGateway.Sdk.Data;
using Microsoft.Extensions.Logging;

namespace IotGateway.Connect.Tasks;

/// <summary>
/// One connector under one configuration: its tasks and what they share. A configuration that cannot be taken in running makes a new
/// host. Operations are the worker's, one at a time; pictures may be taken from any thread.
/// </summary>
sealed partial class ConnectorHost
{
    readonly Shared _shared;
    readonly string? _broken;
    volatile ConnectorConfig _config;
    volatile Dictionary<(string Device, string Tag), TagDefinition> _definitions = [];
    volatile Dictionary<string, int> _taskOfDevice = [];

    public ConnectorHost(Shared shared, ConnectorConfig config)
    {
        (_shared, _config) = (shared, config);
        Board = new(shared.Time, part => shared.Health.Post(config.Name, part), device => shared.Gaps.IsOpen(new(config.Name, "", device)));
        Owner = new(config.Name, config.Common.Limits.Tags, new(config.Common.Topic ?? config.Name, shared.Gateway, config.Common.MaxTopics), Board);
        try
        {
            var parts = Parts(config);
            Tasks = [.. parts.Select((p, i) => new TaskRunner(shared, Owner, config, i, p.Key, p.Config, parts.Count == 1))];
            Define(config, parts);
        }
        catch (Exception e)
        {
            // The plugin's own code failed on its configuration: this connector is out, the others are not.
            _broken = e.Message;
            Tasks = [];
            Log.Broken(shared.Loggers.CreateLogger("IotGateway.Connectors." + config.Name), e, config.Name);
        }
    }

    public ConnectorConfig Config => _config;
    public TagOwner Owner { get; }
    public PartBoard Board { get; }
    public IReadOnlyList<TaskRunner> Tasks { get; }

    /// <summary>The tag as configured, with its write rule; null when the configuration does not name it.</summary>
    public TagDefinition? Definition(string device, string tag) => _definitions.GetValueOrDefault((device, tag));

    /// <summary>Whether the configuration names the device.</summary>
    public bool HasDevice(string device) => _taskOfDevice.ContainsKey(device);

    /// <summary>The task that has the device.</summary>
    public TaskRunner? TaskOf(string device) => Tasks.Count == 0 ? null : Tasks[_taskOfDevice.GetValueOrDefault(device)];

    public void Start(RunState target)
    {
        foreach (var task in Tasks) task.Start(target);
    }

    public Task OrderAsync(RunState target, CloseReason reason, bool last = false) => Task.WhenAll(Tasks.Select(t => t.OrderAsync(target, reason, last)));

    /// <summary>Offers a changed configuration to the running instances. False: a new host is needed.</summary>
    public async Task<bool> TryApplyAsync(ConnectorConfig next, CancellationToken ct)
    {
        if (_broken is not null || next.Plugin != _config.Plugin || next.Common != _config.Common) return false;
        var parts = Parts(next);
        if (!parts.Select(p => p.Key).SequenceEqual(Tasks.Select(t => t.Key))) return false;
        for (var i = 0; i < parts.Count; i++)
            if (await Tasks[i].TryApplyAsync(next, parts[i].Config, ct).ConfigureAwait(false) is not null) return false;
        Define(next, parts);
        _config = next;
        return true;
    }

    public ConnectorSnapshot Snapshot()
    {
        var tasks = Tasks.Select(Picture).ToList();
        return new()
        {
            Name = _config.Name,
            Plugin = _config.Plugin.Info.Name,
            Roles = _config.Plugin.Info.Roles,
            Config = _config,
            State = _broken is not null ? RunState.Failed : Worst(tasks),
            Tasks = tasks,
            Devices = Board.Devices(),
            FailingTags = Board.FailingTags(),
            Tags = Owner.Count,
            TagsRefused = Owner.Refused,
        };
    }

    static IReadOnlyList<(string Key, object Config)> Parts(ConnectorConfig config)
        // Every task of a sink would deliver every record: only sources are split.
        => config.Plugin.Split(config.Config, config.Plugin.Info.Roles.HasFlag(ConnectorRoles.Sink) ? 1 : config.Common.Tasks);

    void Define(ConnectorConfig config, IReadOnlyList<(string Key, object Config)> parts)
    {
        var definitions = new Dictionary<(string, string), TagDefinition>();
        var tasks = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < parts.Count; i++)
            foreach (var tag in config.Plugin.Tags(parts[i].Config))
            {
                definitions[(tag.Device, tag.Name)] = tag;
                tasks[tag.Device] = i;
            }
        (_definitions, _taskOfDevice) = (definitions, tasks);
    }

    static RunState Worst(List<TaskSnapshot> tasks)
    {
        RunState[] order = [RunState.Failed, RunState.Retrying, RunState.Connecting, RunState.Paused, RunState.Stopped, RunState.Running];
        return tasks.Count == 0 ? RunState.Stopped : order.First(s => tasks.Any(t => t.State == s));
    }

    static TaskSnapshot Picture(TaskRunner task)
    {
        var (status, figures) = (task.Status, task.Figures);
        return new()
        {
            Number = task.Number, Key = task.Key, State = status.State, Since = status.Since, Attempt = status.Attempt, NextTry = status.NextTry,
            LastError = status.LastError, LastErrorAt = status.LastErrorAt, RecordsIn = figures.RecordsIn, BytesIn = figures.BytesIn,
            RecordsOut = figures.RecordsOut, BytesOut = figures.BytesOut, DeadLetters = figures.DeadLetters, Lag = figures.Lag, LastData = figures.LastData,
        };
    }

    static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "{Connector}: its plugin cannot work with this configuration. Change the configuration, or report it to the plugin's author.")]
        public static partial void Broken(ILogger logger, Exception error, string connector);
    }
}
