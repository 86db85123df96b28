using System.Security.Cryptography;

namespace IotGateway.Broker.Server;

/// <summary>
/// The fetch sessions of all clients, a bounded number: when it is full, a session unused for two minutes gives way, else there is no
/// new one and the client is answered in full each time. Thread-safe.
/// </summary>
internal sealed class FetchSessions(TimeProvider time)
{
    const int Most = 1000; // Kafka's max.incremental.fetch.session.cache.slots
    static readonly TimeSpan Rest = TimeSpan.FromMinutes(2); // min.incremental.fetch.session.eviction.ms
    readonly Dictionary<int, FetchSession> _sessions = [];
    readonly Lock _lock = new();

    public int Count
    {
        get { lock (_lock) return _sessions.Count; }
    }

    /// <summary>A new session, or null when there is no room.</summary>
    public FetchSession? Create(bool byId)
    {
        lock (_lock)
        {
            if (_sessions.Count >= Most)
            {
                var oldest = _sessions.Values.MinBy(s => s.LastUsed)!;
                if (time.GetElapsedTime(oldest.LastUsed) < Rest) return null;
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
}
