namespace IotGateway.Connectors.Mqtt.Client;

/// <summary>
/// Keeps the connection alive and notices when it is dead (MQTT 5 §3.1.2.10): PINGREQ after three quarters of the interval
/// without traffic in either direction; no sign of life within another interval after it ends the connection. A write that
/// does not end within an interval counts the same. Zero switches it off.
/// </summary>
sealed class KeepAlive(TimeSpan interval, Receiver receiver, PacketSender sender, TimeProvider time, CancellationToken ct)
{
    /// <summary>Runs until cancelled; throws when the peer is dead.</summary>
    public async Task RunAsync()
    {
        if (interval <= TimeSpan.Zero)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, time, ct).ConfigureAwait(false);
            return;
        }
        using var timer = new PeriodicTimer(interval / 4, time);
        long? pinged = null;
        while (await timer.WaitForNextTickAsync(ct).ConfigureAwait(false))
        {
            if (receiver.IsHeldUp)
            {
                pinged = null;
                if (time.GetElapsedTime(sender.LastSent) >= interval * 0.75) await PingAsync().ConfigureAwait(false); // for the broker's own watchdog
                continue;
            }
            if (pinged is { } since)
            {
                if (receiver.Pongs >= sender.Pings || receiver.LastReceived > since) pinged = null;
                else if (time.GetElapsedTime(since) >= interval) throw Dead("did not answer a PINGREQ");
            }
            var idle = time.GetElapsedTime(Math.Min(receiver.LastReceived, sender.LastSent));
            if (pinged is not null || idle < interval * 0.75) continue;
            pinged = time.GetTimestamp();
            await PingAsync().ConfigureAwait(false);
        }
    }

    async Task PingAsync()
    {
        try
        {
            await sender.SendAsync(0, static (_, _) => { }, ping: true, ct).AsTask().WaitAsync(interval, time, ct).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            throw Dead("took nothing from us");
        }
    }

    IOException Dead(string what) => new($"the broker {what} for {interval.TotalSeconds:0.#} s; the network or the broker is down");
}
