using IotGateway.Connect.Tasks;
using IotGateway.Sdk;
using IotGateway.Sdk.Config;
using IotGateway.Sdk.Data;

namespace IotGateway.Connect.Commands;

/// <summary>Looks whether a write had its effect: asks the device where it can be asked, and listens to the tag's own readings. Thread-safe.</summary>
sealed class ReadBackCheck(Shared shared)
{
    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    /// <summary>The last value observed, and whether it is the one wanted; gives up after <see cref="ReadBack.Within"/>. What came after <paramref name="sent"/> counts, also before this call.</summary>
    public async Task<(bool Confirmed, Value Observed)> LookAsync(ConnectorHost host, string device, string written, Value wanted, ReadBack rule, DateTimeOffset sent, CancellationToken ct)
    {
        var name = rule.Tag ?? written;
        var type = host.Definition(device, name)?.Type ?? wanted.Type;
        if ((shared.Tags.Find(device, name) ?? shared.Tags.Intern(host.Owner, device, name, type, host.Definition(device, name)?.Unit)) is not { } tag) return (false, Value.None);
        var observed = Value.None;
        var heard = new TaskCompletionSource<Value>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var watch = shared.Live.Watch(device, name, reading =>
        {
            if (Shows(reading)) heard.TrySetResult(reading.Value);
        });
        // A device that reports instead of answering may have done so before its connector came back here.
        if (shared.Tags.TryGetLast(tag, out var already) && Shows(already)) return (true, already.Value);
        using var within = new CancellationTokenSource(rule.Within, shared.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(within.Token, ct);
        do
        {
            if (await ReadAsync(host, tag, either.Token).ConfigureAwait(false) is { } reading)
            {
                observed = reading.Value;
                if (CommandValue.Near(observed, wanted, rule.Tolerance)) return (true, observed);
            }
            await ((Task)heard.Task).WaitAsync(Pause, shared.Time, either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (heard.Task.IsCompletedSuccessfully) return (true, await heard.Task.ConfigureAwait(false));
        }
        while (!either.IsCancellationRequested);
        if (observed.IsNone && shared.Tags.TryGetLast(tag, out var last) && Good(last)) observed = last.Value;
        return (false, observed);

        // By its time, not by when it is told: what was taken before may still be on its way here.
        bool Shows(in Reading reading) => Good(reading) && reading.GatewayTime > sent.UtcDateTime && CommandValue.Near(reading.Value, wanted, rule.Tolerance);
    }

    async Task<Reading?> ReadAsync(ConnectorHost host, Tag tag, CancellationToken ct)
    {
        if (host.TaskOf(tag.Device)?.Live is not IReadable readable) return null;
        try
        {
            var readings = await Bounded.RunAsync("ReadNowAsync", token => readable.ReadNowAsync([tag], token), TimeSpan.FromSeconds(30),
                shared.Options.CloseTimeout, shared.Time, ct).ConfigureAwait(false);
            return readings.Count == 1 && Good(readings[0]) ? readings[0] : null;
        }
        catch (Exception)
        {
            // The device does not answer this time; what is not seen is not confirmed, and the outcome says so.
            return null;
        }
    }

    static bool Good(in Reading reading) => reading.Quality != Quality.Bad && !reading.Value.IsNone;
}
