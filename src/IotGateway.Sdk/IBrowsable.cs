using IotGateway.Sdk.Data;

namespace IotGateway.Sdk;

/// <summary>A connector that can list what its peer offers.</summary>
public interface IBrowsable : IConnector
{
    /// <summary>The children of <paramref name="parent"/>, or the roots when it is null.</summary>
    IAsyncEnumerable<BrowseNode> BrowseAsync(string? parent, CancellationToken ct);
}

/// <summary>One thing found by browsing.</summary>
/// <param name="Id">What to give back as parent, and to write into a configuration.</param>
/// <param name="Name">For people.</param>
/// <param name="HasChildren">Whether browsing deeper may find more.</param>
/// <param name="Type">Type of its value; null when it has none or the peer does not say.</param>
/// <param name="Detail">Anything else worth showing: a sample value, a description.</param>
public sealed record BrowseNode(string Id, string Name, bool HasChildren, DataType? Type = null, string? Detail = null);
