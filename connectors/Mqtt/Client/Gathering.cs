namespace IotGateway.Connectors.Mqtt.Client;

/// <summary>
/// Lets messages that come fast gather in the socket for a moment: one by one, each would cost a system call, two changes of threads and often a sync of its
/// own. Waits only while more than <see cref="Fast"/> messages come in a millisecond and the last read brought little; slower ones never wait. One thread.
/// </summary>
sealed class Gathering(TimeProvider time)
{
    /// <summary>Messages a millisecond from which on it pays to wait.</summary>
    const int Fast = 8;

    /// <summary>Bytes of a read that is worth its call.</summary>
    const int Enough = 16 << 10;

    static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(1);

    long _since = time.GetTimestamp();
    int _came;
    bool _fast;

    /// <summary>A message has come.</summary>
    public void Count() => _came++;

    /// <summary>Waits a moment where that pays.</summary>
    /// <param name="read">Bytes that the last read brought.</param>
    public Task WaitAsync(int read, CancellationToken ct)
    {
        var elapsed = time.GetElapsedTime(_since);
        if (elapsed >= Moment)
        {
            _fast = _came >= Fast * elapsed.TotalMilliseconds;
            (_since, _came) = (time.GetTimestamp(), 0);
        }
        return _fast && read < Enough ? Task.Delay(Moment, time, ct) : Task.CompletedTask;
    }
}
