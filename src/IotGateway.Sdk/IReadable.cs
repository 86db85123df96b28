using IotGateway.Sdk.Data;

namespace IotGateway.Sdk;

/// <summary>A connector that can read tags on demand, beside its normal reading.</summary>
public interface IReadable : IConnector
{
    /// <summary>Reads the tags from the device now, not from a cache. One reading per tag, in the order asked, bad ones included.</summary>
    ValueTask<IReadOnlyList<Reading>> ReadNowAsync(IReadOnlyList<Tag> tags, CancellationToken ct);
}
