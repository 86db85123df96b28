using IotGateway.Connectors.Modbus.Client;
using IotGateway.Sdk.Data;

namespace IotGateway.Connectors.Modbus.Polling;

/// <summary>
/// Decides which polls become readings: all of them, or with a deadband those that differ enough or are due for a refresh; a bad one
/// once per tag and cause. The first good reading after a start or after a bad one is always published. Owned by a poller's loop.
/// </summary>
internal sealed class Publisher(ReadingBuffer buffer, TimeSpan refresh)
{
    readonly List<Reading> _readings = [];

    /// <summary>A good reply's values.</summary>
    /// <param name="tracks">Tags within it.</param>
    /// <param name="data">Its data.</param>
    /// <param name="first">Address of its first element.</param>
    /// <param name="now">Ticks of the poller's clock.</param>
    /// <param name="utc">When it was received.</param>
    public void Good(TagTrack[] tracks, ReadOnlySpan<byte> data, int first, long now, DateTime utc)
    {
        foreach (var track in tracks)
        {
            var value = track.Point.Decode(data, first);
            track.Status = null;
            if (!IsWorthIt(track, value, now)) continue;
            (track.Last, track.PublishedAt) = (value, now);
            _readings.Add(new Reading(track.Point.Tag, value, DateTime.MinValue, utc) { Label = track.Point.Conversion.Label(value) });
        }
    }

    /// <summary>No value, and why; published when the cause is new.</summary>
    public void Bad(TagTrack track, string status, DateTime utc)
    {
        if (track.Status == status) return;
        track.Status = status;
        track.Last = Value.None;
        _readings.Add(Reading.Bad(track.Point.Tag, status, utc));
    }

    /// <summary>No value, and why, for several tags.</summary>
    public void Bad(IEnumerable<TagTrack> tracks, ExchangeResult result, DateTime utc)
    {
        foreach (var track in tracks) Bad(track, result.Code, utc);
    }

    /// <summary>Hands over what was decided.</summary>
    public void Flush()
    {
        buffer.Put(_readings);
        _readings.Clear();
    }

    bool IsWorthIt(TagTrack track, Value value, long now)
    {
        if (track.Point.Deadband is not { } deadband || track.Last.IsNone) return true;
        if (refresh > TimeSpan.Zero && now - track.PublishedAt >= refresh.Ticks) return true;
        if (value == track.Last) return false;
        // Text, octets and bools have no distance: any change counts. So do numbers that are not finite.
        if (!value.IsNumber || value.Type == DataType.Bool || !value.IsFinite || !track.Last.IsFinite) return true;
        return value.Type == DataType.Decimal
            ? Math.Abs(value.AsDecimal - track.Last.AsDecimal) > deadband
            : Math.Abs(value.AsDouble - track.Last.AsDouble) > (double)deadband;
    }
}
