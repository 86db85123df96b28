using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using IotGateway.Log;

namespace IotGateway.Broker.Security.Scram;

/// <summary>
/// The users' SCRAM credentials: durable in a table of the log, and in memory for reading. A change is in force once it is on disk.
/// Thread-safe.
/// </summary>
internal sealed class UserStore : IDisposable
{
    /// <summary>Longest name of a user, in characters.</summary>
    public const int LongestName = 255;

    /// <summary>Longest salt taken from a client, in bytes.</summary>
    public const int LongestSalt = 255;

    const string Table = "broker.scram", Secrets = "broker.secrets", Configured = "broker.configured-users";
    static readonly byte[] SeedKey = "unknown-users"u8.ToArray();
    readonly LogStore _log;
    readonly byte[] _seed;
    readonly ConcurrentDictionary<(sbyte Mechanism, string User), ScramCredential> _credentials = [];
    readonly SemaphoreSlim _turn = new(1, 1);

    UserStore(LogStore log, byte[] seed)
    {
        (_log, _seed) = (log, seed);
        foreach (var (key, value) in log.Scan(Table))
            if (ScramMechanism.Find((sbyte)key.Span[0]) is { } mechanism)
                _credentials[(mechanism.Type, Encoding.UTF8.GetString(key.Span[1..]))] = ScramCredential.Decode(mechanism, value.Span);
    }

    public static async ValueTask<UserStore> OpenAsync(LogStore log, CancellationToken ct)
    {
        if (log.Get(Secrets, SeedKey) is { } seed) return new(log, seed.ToArray());
        var made = RandomNumberGenerator.GetBytes(32);
        var unit = new LogUnit { Reserved = true };
        unit.Put(Secrets, SeedKey, made);
        await log.CommitAsync(unit, ct);
        return new(log, made);
    }

    public ScramCredential? Find(ScramMechanism mechanism, string user) => _credentials.GetValueOrDefault((mechanism.Type, user));

    /// <summary>
    /// What an unknown user is asked with, so that he looks like a known one (RFC 5802 §9): always the same salt for the same name,
    /// and as many iterations as most users have.
    /// </summary>
    public ScramCredential Unknown(ScramMechanism mechanism, string user)
    {
        var usual = _credentials.Values.Where(c => c.Mechanism == mechanism).GroupBy(c => c.Iterations).MaxBy(g => g.Count())?.Key ?? ScramCredential.OwnIterations;
        return ScramCredential.Unusable(mechanism, usual, mechanism.Hmac(_seed, Encoding.UTF8.GetBytes(user)));
    }

    /// <summary>Users with their credentials, by name; a snapshot.</summary>
    public IReadOnlyList<(string User, IReadOnlyList<ScramCredential> Credentials)> All()
        => [.. _credentials.ToArray().GroupBy(c => c.Key.User).OrderBy(g => g.Key, StringComparer.Ordinal)
            .Select(g => (g.Key, (IReadOnlyList<ScramCredential>)[.. g.Select(c => c.Value).OrderBy(c => c.Mechanism.Type)]))];

    /// <summary>Credentials of one user, by mechanism.</summary>
    public IReadOnlyList<ScramCredential> Of(string user) => [.. ScramMechanism.All.Select(m => Find(m, user)).OfType<ScramCredential>()];

    /// <summary>Makes changes in one atomic step; a null credential is a removal.</summary>
    /// <param name="decide">Makes the changes from what there is; nobody else changes anything meanwhile.</param>
    /// <param name="ct">Cancellation.</param>
    public async ValueTask AlterAsync(Func<IReadOnlyList<UserChange>> decide, CancellationToken ct)
    {
        await _turn.WaitAsync(ct);
        try
        {
            await WriteAsync(decide(), [], ct);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>
    /// Puts the configuration's users in force: a password that changed is replaced, a user who is no longer configured is removed.
    /// Users made by other means stay.
    /// </summary>
    public async ValueTask ConfigureAsync(IReadOnlyList<BrokerUser> users, CancellationToken ct)
    {
        await _turn.WaitAsync(ct);
        try
        {
            var before = _log.Scan(Configured).Select(e => Encoding.UTF8.GetString(e.Key.Span)).ToHashSet();
            var gone = before.Except(users.Select(u => u.Name)).ToList();
            var changes = gone.SelectMany(user => Of(user).Select(c => new UserChange(c.Mechanism, user, null)))
                .Concat(users.SelectMany(u => ScramMechanism.All.Where(m => Find(m, u.Name)?.Fits(u.Password) != true)
                    .Select(m => new UserChange(m, u.Name, ScramCredential.FromPassword(m, u.Password))))).ToList();
            var marks = gone.Select(user => (user, false)).Concat(users.Where(u => !before.Contains(u.Name)).Select(u => (u.Name, true))).ToList();
            await WriteAsync(changes, marks, ct);
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose() => _turn.Dispose();

    async ValueTask WriteAsync(IReadOnlyList<UserChange> changes, IReadOnlyList<(string User, bool Configured)> marks, CancellationToken ct)
    {
        var unit = new LogUnit { Reserved = true }; // a user must be removable also on a full disk
        foreach (var change in changes)
        {
            byte[] key = [(byte)change.Mechanism.Type, .. Encoding.UTF8.GetBytes(change.User)];
            unit.Put(Table, key, change.Credential is { } kept ? kept.Encode() : (ReadOnlyMemory<byte>?)null);
        }
        foreach (var (user, configured) in marks) unit.Put(Configured, Encoding.UTF8.GetBytes(user), configured ? new byte[] { 1 } : (ReadOnlyMemory<byte>?)null);
        if (unit.IsEmpty) return;
        await _log.CommitAsync(unit, ct);
        foreach (var change in changes)
        {
            if (change.Credential is { } credential) _credentials[(change.Mechanism.Type, change.User)] = credential;
            else _credentials.TryRemove((change.Mechanism.Type, change.User), out _);
        }
    }
}
