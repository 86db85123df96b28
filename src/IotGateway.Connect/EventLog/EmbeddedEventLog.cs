using IotGateway.Connect.Configs;
using IotGateway.Log;

namespace IotGateway.Connect.EventLog;

/// <summary>The event log in this process, over <see cref="LogStore"/>. Thread-safe. Does not own the store.</summary>
public sealed class EmbeddedEventLog(LogStore store, GatewayConfig gateway) : IEventLog
{
    public bool Accepting => store.Accepting;
    public Task<Exception> Failed => store.Failed;
    public ValueTask<Task> SubmitAsync(EventUnit unit, CancellationToken ct) => throw new NotSupportedException(gateway.Name);
    public ReadOnlyMemory<byte>? Get(string table, ReadOnlySpan<byte> key) => store.Get(table, key);
    public IReadOnlyList<KeyValuePair<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>>> Scan(string table) => store.Scan(table);
    public IEventReader Read(string consumer, Func<string, bool> filter, bool fromEnd) => throw new NotSupportedException();
    public IReadOnlyList<long> Ends(string topic) => [.. (store.Find(topic)?.Partitions ?? []).Select(p => p.HighWatermark)];
}
