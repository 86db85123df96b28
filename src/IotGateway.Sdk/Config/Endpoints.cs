using System.Collections;

namespace IotGateway.Sdk.Config;

/// <summary>One or more addresses of the same peer, tried in turn; written as a string or a list.</summary>
/// <param name="addresses">At least one.</param>
public sealed class Endpoints(params IReadOnlyList<string> addresses) : IReadOnlyList<string>
{
    /// <inheritdoc/>
    public string this[int index] => addresses[index];

    /// <inheritdoc/>
    public int Count => addresses.Count;

    /// <inheritdoc/>
    public IEnumerator<string> GetEnumerator() => addresses.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Comma-separated.</summary>
    public override string ToString() => string.Join(",", addresses);
}
