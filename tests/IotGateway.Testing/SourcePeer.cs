using IotGateway.Sdk;
using IotGateway.Sdk.Data;

namespace IotGateway.Testing;

/// <summary>The other side of a source, for <see cref="SourceConformance{TConfig}"/>: it sends numbered items.</summary>
public abstract class SourcePeer<TConfig> : IAsyncDisposable where TConfig : class
{
    /// <summary>The plugin under test.</summary>
    public abstract IConnectorFactory<TConfig> Factory { get; }

    /// <summary>A configuration that reaches this peer.</summary>
    public abstract TConfig Config { get; }

    /// <summary>One with wrong credentials, where the peer asks for any.</summary>
    public virtual TConfig? WrongCredentials => null;

    /// <summary>Every item arrives (not sampled).</summary>
    public virtual bool Lossless => true;

    /// <summary>Items sent while the client is away are kept for it.</summary>
    public virtual bool Resumes => true;

    /// <summary>Whether <see cref="RestartAsync"/> works.</summary>
    public virtual bool CanRestart => true;

    /// <summary>How many items the client has confirmed, where the peer can tell.</summary>
    public virtual Func<Task<int>>? Confirmed => null;

    /// <summary>Sends items <paramref name="from"/> … <paramref name="from"/> + <paramref name="count"/> - 1, in order.</summary>
    public abstract Task SendAsync(int from, int count);

    /// <summary>The number an item carries; null when it is none of ours.</summary>
    public virtual int? NumberOf(Record record) => null;

    /// <summary>The number an item carries; null when it is none of ours.</summary>
    public virtual int? NumberOf(Reading reading) => null;

    /// <summary>Stops the peer and starts it again on the same address and data.</summary>
    public virtual Task RestartAsync() => throw new NotSupportedException();

    /// <inheritdoc/>
    public abstract ValueTask DisposeAsync();
}
