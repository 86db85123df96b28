using System.Security.Cryptography;

namespace IotGateway.Broker.Server;

/// <summary>
/// The fetch sessions of all clients, a bounded number of a bounded number of partitions: when they are full, a session unused for two minutes gives way,
/// else there is no new one and the client is answered in full each time. Thread-safe.
/// </summary>
internal sealed class FetchSessions(TimeProvider time)
{
    /// <summary>Most partitions in all sessions together: about 50 MB.</summary>
    public const int MostPartitions = 200_000;

    const int Most = 1000; // Kafka's max.incremental.fetch.session.cache.slots
    static readonly TimeSpan Rest = TimeSpan.FromMinutes(2); // min.incremental.fetch.session.eviction.ms
    readonly Dictionary<int, FetchSession> _sessions = [];
    readonly Lock _lock = new();

    public int Count
    {
        get { lock (_lock) return _sessions.Count; }
    }

    /// <summary>A new session for so many partitions, or null when there is no room.</summary>
    public FetchSession? Create(bool byId, int partitions)
    {
        lock (_lock)
        {
            while (_sessions.Count >= Most || Partitions + partitions > MostPartitions)
            {
                if (_sessions.Values.MinBy(s => s.LastUsed) is not { } oldest || time.GetElapsedTime(oldest.LastUsed) < Rest) return null;
                _sessions.Remove(oldest.Id);
            }
            int id;
            do id = RandomNumberGenerator.GetInt32(1, int.MaxValue);
            while (_sessions.ContainsKey(id));
            var session = new FetchSession(id, byId) { LastUsed = time.GetTimestamp() };
            _sessions.Add(id, session);
            return session;
        }
    }

    public FetchSession? Find(int id)
    {
        lock (_lock)
        {
            if (!_sessions.TryGetValue(id, out var session)) return null;
            session.LastUsed = time.GetTimestamp();
            return session;
        }
    }

    public void Remove(int id)
    {
        lock (_lock) _sessions.Remove(id);
    }

    /// <summary>Removes a session that has become too large for all to have room; whether it was.</summary>
    public bool RemoveTooLarge(FetchSession session)
    {
        lock (_lock) return Partitions > MostPartitions && _sessions.Remove(session.Id);
    }

    int Partitions => _sessions.Values.Sum(s => s.Count);
}
