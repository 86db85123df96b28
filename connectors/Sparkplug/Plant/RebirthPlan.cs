namespace IotGateway.Connectors.Sparkplug.Plant;

/// <summary>
/// When an edge node is asked for a rebirth: at once when the need arises, then after pauses that double, so that one that does not
/// answer, or breaks again right after its birth, is not asked in a loop. One thread.
/// </summary>
sealed class RebirthPlan(TimeSpan first, TimeSpan longest, TimeProvider time)
{
    TimeSpan _pause, _delay;
    long _asked, _born, _wantedAt;
    bool _everAsked;

    /// <summary>Whether there is need.</summary>
    public bool IsWanted { get; private set; }

    /// <summary>There is need.</summary>
    /// <param name="delay">How long to wait first, for an edge node that may be born by itself.</param>
    public void Want(TimeSpan delay = default)
    {
        if (IsWanted) return;
        IsWanted = true;
        (_wantedAt, _delay) = (time.GetTimestamp(), delay);
        // Whoever was well for longer than the last pause starts anew.
        if (_everAsked && _born > _asked && time.GetElapsedTime(_born) > _pause) _everAsked = false;
    }

    /// <summary>Whether it is to be asked now.</summary>
    public bool IsDue => IsWanted && time.GetElapsedTime(_wantedAt) >= _delay && (!_everAsked || time.GetElapsedTime(_asked) >= _pause);

    /// <summary>It was asked.</summary>
    public void Asked()
    {
        _pause = !_everAsked ? first : _pause * 2 > longest ? longest : _pause * 2;
        (_everAsked, _asked) = (true, time.GetTimestamp());
    }

    /// <summary>There is no need any more: it is dead, and comes back with a birth.</summary>
    public void Cancel() => IsWanted = false;

    /// <summary>It was born.</summary>
    public void Born()
    {
        IsWanted = false;
        _born = time.GetTimestamp();
    }
}
