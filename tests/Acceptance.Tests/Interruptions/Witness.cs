namespace Acceptance.Tests.Interruptions;

/// <summary>
/// What passed between broker and gateway on all connections so far: which payloads the gateway acknowledged by PUBACK or PUBREC, and how many
/// packet identifiers were in doubt whenever a connection ended, and in which order the broker sent. Thread-safe.
/// </summary>
sealed class Witness
{
    readonly Lock _lock = new();
    readonly HashSet<string> _acknowledged = [];
    readonly Dictionary<ushort, string> _payloads = []; // of this connection
    readonly HashSet<ushort> _open = []; // PUBLISH with QoS 1 passed, PUBACK not
    readonly Queue<int> _pings = [];
    readonly Dictionary<string, List<(int Connection, int Place)>> _deliveries = [];
    int _acks, _certain, _subscribed, _marked, _connection, _place;
    long _inDoubt;

    /// <summary>Payloads the gateway said it has.</summary>
    public int Count { get { lock (_lock) return _acknowledged.Count; } }

    /// <summary>SUBACKs seen.</summary>
    public int Subscribed { get { lock (_lock) return _subscribed; } }

    /// <summary>PUBLISH packets with DUP seen.</summary>
    public int Marked { get { lock (_lock) return _marked; } }

    /// <summary>Sum of the QoS 1 identifiers that were in doubt at the ends of connections: PUBACK missing, or no answered PINGREQ behind it.</summary>
    public long InDoubt { get { lock (_lock) return _inDoubt; } }

    public IReadOnlyCollection<string> Acknowledged { get { lock (_lock) return [.. _acknowledged]; } }

    /// <summary>Whether the broker itself sent the later message on some connection without the earlier one before it.</summary>
    public bool Overtook(string later, string earlier)
    {
        lock (_lock)
            return _deliveries[later].Exists(l => !_deliveries[earlier].Exists(e => e.Connection == l.Connection && e.Place < l.Place));
    }

    /// <summary>A packet goes to the gateway.</summary>
    public void FromBroker(SeenPacket packet)
    {
        lock (_lock)
        {
            switch (packet.First >> 4)
            {
                case 3 when packet.Id != 0:
                    _payloads[packet.Id] = packet.Payload!;
                    if (!_deliveries.TryGetValue(packet.Payload!, out var places)) _deliveries[packet.Payload!] = places = [];
                    places.Add((_connection, _place++));
                    if ((packet.First & 6) == 2) _open.Add(packet.Id);
                    if ((packet.First & 8) != 0) _marked++;
                    break;
                case 9: _subscribed++; break;
                case 13 when _pings.TryDequeue(out var acks): _certain = acks; break;
            }
        }
    }

    /// <summary>A packet came from the gateway.</summary>
    /// <param name="packet">The packet.</param>
    /// <param name="passed">Whether the broker gets it.</param>
    public void FromGateway(SeenPacket packet, bool passed)
    {
        lock (_lock)
        {
            if (packet.First >> 4 is 4 or 5 && _payloads.TryGetValue(packet.Id, out var payload)) _acknowledged.Add(payload);
            if (!passed) return;
            if (packet.First >> 4 == 4 && _open.Remove(packet.Id)) _acks++;
            if (packet.First >> 4 == 12) _pings.Enqueue(_acks);
        }
    }

    /// <summary>The connection has ended.</summary>
    public void Ended()
    {
        lock (_lock)
        {
            _inDoubt += _open.Count + _acks - _certain;
            _payloads.Clear();
            _open.Clear();
            _pings.Clear();
            (_acks, _certain) = (0, 0);
            _connection++;
        }
    }
}
