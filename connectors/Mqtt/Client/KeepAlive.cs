namespace IotGateway.Connectors.Mqtt.Client;

/// <summary>
/// Keeps the connection alive and notices when it is dead (MQTT 5 §3.1.2.10): PINGREQ after three quarters of the interval
/// without traffic in either direction; no sign of life within another interval after it ends the connection. A write that
/// does not end within an interval counts the same. Zero switches it off.
/// </summary>
sealed class KeepAlive(TimeSpan interval, Receiver receiver, PacketSender sender, IMqttHandler handler, TimeProvider time, CancellationToken ct)
{
    static readonly TimeSpan LongestTick = TimeSpan.FromSeconds(1);

    long? _pinged;

    /// <summary>Runs until cancelled; throws when the peer is dead.</summary>
    public async Task RunAsync()
    {
        var watched = interval > TimeSpan.Zero;
        using var timer = new PeriodicTimer(watched && interval / 4 < LongestTick ? interval / 4 : LongestTick, time);
        while (await timer.WaitForNextTickAsync(ct).ConfigureAwait(false))
        {
            var tick = handler.OnTickAsync();
            if (!tick.IsCompletedSuccessfully) await InTime(tick.AsTask()).ConfigureAwait(false);
            if (watched) await WatchAsync().ConfigureAwait(false);
        }
    }

    async ValueTask WatchAsync()
    {
        if (receiver.IsHeldUp)
        {
            _pinged = null;
            if (time.GetElapsedTime(sender.LastSent) >= interval * 0.75) await PingAsync().ConfigureAwait(false); // for the broker's own watchdog
            return;
        }
        if (_pinged is { } since)
        {
            if (receiver.Pongs >= sender.Pings || receiver.LastReceived > since) _pinged = null;
            else if (time.GetElapsedTime(since) >= interval) throw Dead("did not answer a PINGREQ");
        }
        var idle = time.GetElapsedTime(Math.Min(receiver.LastReceived, sender.LastSent));
        if (_pinged is not null || idle < interval * 0.75) return;
        _pinged = time.GetTimestamp();
        await PingAsync().ConfigureAwait(false);
    }

    Task PingAsync() => InTime(sender.SendAsync(0, static (_, _) => { }, ping: true, ct).AsTask());

    async Task InTime(Task sending)
    {
        try
        {
            await sending.WaitAsync(interval > TimeSpan.Zero ? interval : TimeSpan.FromMinutes(1), time, ct).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            throw Dead("took nothing from us");
        }
    }

    IOException Dead(string what) => new($"the broker {what} for {interval.TotalSeconds:0.#} s; the network or the broker is down");
}
