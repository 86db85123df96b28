using System.Net;
using System.Runtime.CompilerServices;
using IotGateway.Connectors.Simulator.Line;
using IotGateway.Connectors.Simulator.Server;
using IotGateway.Sdk;
using IotGateway.Sdk.Data;

namespace IotGateway.Connectors.Simulator;

/// <summary>
/// Runs the press line from opening to closing, and as a source publishes one reading of its own now and then. Kept small on purpose:
/// it is also the template for a connector of your own (see README).
/// </summary>
/// <remarks>The line advances in a task of its own; clients of its server run on others. <see cref="PressLine"/> is what they share, and has the lock.</remarks>
internal sealed class SimulatorConnector(SimulatorConfig config, ConnectorContext context) : ISource
{
    /// <summary>Name of the one tag.</summary>
    public const string RequestsTag = "requests";

    readonly CancellationTokenSource _stop = new();
    ModbusServer? _server;
    MachineLog? _log;
    Task _running = Task.CompletedTask;

    /// <summary>Port the server listens on, once open.</summary>
    public int Port => _server?.Port ?? throw new InvalidOperationException("The simulator is not open.");

    /// <inheritdoc/>
    public ValueTask OpenAsync(OpenMode mode, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        _log = config.LogFile is null ? null : new MachineLog(config.LogFile, config.RotateAt.Bytes);
        var line = new PressLine(config.Presses, config.Seed);
        _server = new ModbusServer(IPEndPoint.Parse(config.Listen), line);
        _running = Task.Run(() => RunAsync(line, _stop.Token), CancellationToken.None);
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<SourceBatch> ReadAsync([EnumeratorCancellation] CancellationToken ct)
    {
        // Null: the gateway's limit of tags is reached. Nothing is published then, and the line runs on.
        var tag = context.Tag(config.Device, RequestsTag, DataType.UInt32);
        using var timer = new PeriodicTimer(config.Heartbeat, context.Time);
        do
        {
            if (_running.IsFaulted) await _running.ConfigureAwait(false);
            if (tag is not null)
                yield return new SourceBatch { Readings = [new(tag, Value.Of(_server!.Requests), DateTime.MinValue, context.Time.GetUtcNow().UtcDateTime)] };
        }
        while (await timer.WaitForNextTickAsync(ct).ConfigureAwait(false));
    }

    /// <inheritdoc/>
    public async ValueTask CloseAsync(CloseReason why, CancellationToken ct)
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_server is not null) await _server.DisposeAsync().ConfigureAwait(false);
        _log?.Dispose();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await CloseAsync(CloseReason.Fault, CancellationToken.None).ConfigureAwait(false);
        _stop.Dispose();
    }

    // Steps are of fixed length, so that the same seed makes the same day however busy the computer is.
    async Task RunAsync(PressLine line, CancellationToken ct)
    {
        var start = context.Time.GetTimestamp();
        long steps = 0;
        using var timer = new PeriodicTimer(PressLine.Step, context.Time);
        while (await timer.WaitForNextTickAsync(ct).ConfigureAwait(false))
        {
            var due = context.Time.GetElapsedTime(start).Ticks / PressLine.Step.Ticks;
            for (; steps < due; steps++)
                foreach (var entry in line.Advance())
                    _log?.Write(context.Time.GetUtcNow(), entry);
        }
    }
}
