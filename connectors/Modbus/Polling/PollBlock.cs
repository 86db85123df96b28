using IotGateway.Connectors.Modbus.Client;
using IotGateway.Connectors.Modbus.Planning;
using IotGateway.Connectors.Modbus.Protocol;

namespace IotGateway.Connectors.Modbus.Polling;

/// <summary>One request that is sent again and again, and the tags it serves. Owned by the poller's loop, except <see cref="Data"/> while it runs.</summary>
internal sealed class PollBlock(PollGroup group, Span span, TagTrack[] tracks)
{
    readonly byte[] _data = new byte[Limits.Pdu];
    int _length;

    /// <summary>Unit, area and period.</summary>
    public PollGroup Group { get; } = group;

    /// <summary>Its tags, by ascending address.</summary>
    public TagTrack[] Tracks { get; } = tracks;

    /// <summary>First element read.</summary>
    public int First { get; } = span.Start;

    /// <summary>The request.</summary>
    public Request Request { get; } = Request.Read(group.Unit.Id, group.Area, span.Start, span.Length);

    /// <summary>The last moment of its absolute schedule, in ticks of the poller's clock.</summary>
    public long Grid { get; set; }

    /// <summary>Whether it runs outside its schedule: a probe, or the first try after an outage.</summary>
    public bool IsOffGrid { get; set; }

    /// <summary>Replaced by other blocks; not to be sent again.</summary>
    public bool IsRetired { get; set; }

    /// <summary>The exchange under way.</summary>
    public Task<ExchangeResult>? Running { get; set; }

    /// <summary>Data of the last reply.</summary>
    public ReadOnlySpan<byte> Data => _data.AsSpan(0, _length);

    /// <summary>Keeps a reply's data.</summary>
    public void Keep(ReadOnlyMemory<byte> data)
    {
        data.Span.CopyTo(_data);
        _length = data.Length;
    }
}
