using IotGateway.Connectors.Mqtt.Protocol;

namespace IotGateway.Connectors.Mqtt.Client;

/// <summary>
/// Writes packets to the stream: whatever one call encodes leaves in one write. Calls take turns. A write is never cancelled half
/// way by a caller: only the end of the connection stops it.
/// </summary>
sealed class PacketSender(Stream stream, TimeProvider time) : IDisposable
{
    readonly SemaphoreSlim _turn = new(1, 1);
    readonly WireWriter _writer = new();
    long _pings;
    long _lastSent = time.GetTimestamp();

    /// <summary>When the last write ended, as <see cref="TimeProvider.GetTimestamp"/>.</summary>
    public long LastSent => Volatile.Read(ref _lastSent);

    /// <summary>PINGREQs handed to the stream so far.</summary>
    public long Pings => Volatile.Read(ref _pings);

    /// <summary>Encodes and writes.</summary>
    /// <returns>The number of the PINGREQ appended when <paramref name="ping"/> is set, else of the last one.</returns>
    public async ValueTask<long> SendAsync<T>(T state, Action<WireWriter, T> encode, bool ping, CancellationToken connection)
    {
        await _turn.WaitAsync(connection).ConfigureAwait(false);
        try
        {
            _writer.Clear();
            encode(_writer, state);
            if (ping)
            {
                MqttEncoder.PingRequest(_writer);
                Volatile.Write(ref _pings, _pings + 1); // before the write: the answer may overtake its return
            }
            var number = _pings;
            if (_writer.Length > 0) await stream.WriteAsync(_writer.Written, connection).ConfigureAwait(false);
            Volatile.Write(ref _lastSent, time.GetTimestamp());
            return number;
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose() => _turn.Dispose();
}
