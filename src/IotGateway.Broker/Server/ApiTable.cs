using System.Collections.Frozen;
using IotGateway.Broker.Protocol;

namespace IotGateway.Broker.Server;

/// <summary>The APIs this broker serves. What is not in here is neither advertised nor answered.</summary>
internal sealed class ApiTable(IEnumerable<Api> apis)
{
    readonly FrozenDictionary<ApiKey, Api> _apis = apis.ToFrozenDictionary(a => a.Key);

    /// <summary>All, by key.</summary>
    public IEnumerable<Api> All => _apis.Values.OrderBy(a => (short)a.Key);

    public Api? Find(ApiKey key) => _apis.GetValueOrDefault(key);
}
