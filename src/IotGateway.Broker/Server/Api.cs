using IotGateway.Broker.Protocol;
using IotGateway.Broker.Security.Acls;

namespace IotGateway.Broker.Server;

/// <summary>One API in the versions this broker serves. Instances are shared by all connections and keep no state of their own.</summary>
internal abstract class Api
{
    public abstract ApiKey Key { get; }

    /// <summary>Lowest version told to clients; lower ones than the codec's are closed when used (Produce).</summary>
    public required short AdvertisedMin { get; init; }

    public required short Max { get; init; }

    /// <summary>Lowest version served.</summary>
    public abstract short Min { get; }

    public abstract short FlexibleFrom { get; }

    /// <summary>What it asks the authorizer about; empty where everyone may ask everything.</summary>
    public abstract IReadOnlyList<AccessRule> Access { get; }

    /// <summary>Whether a request may start before the preceding one of this kind on the connection was answered.</summary>
    public virtual bool Overlaps => false;

    /// <summary>
    /// Answers one request; the writer holds the whole frame, null is no answer. The body is valid until the answer was sent. What
    /// must happen in order of arrival happens before the first await.
    /// </summary>
    /// <exception cref="ProtocolException">The body is malformed, or the client must be cut off.</exception>
    public abstract ValueTask<KafkaWriter?> AnswerAsync(RequestContext context, ReadOnlyMemory<byte> body);

    /// <summary>Reads the request; what it did not take of the memory claimed for it is given back.</summary>
    /// <exception cref="ProtocolException">It is malformed.</exception>
    protected static TRequest Parse<TRequest>(ReadOnlyMemory<byte> body, RequestContext context) where TRequest : IKafkaMessage<TRequest>
    {
        var reader = new KafkaReader(body);
        var request = TRequest.Read(ref reader, context.Version);
        context.Read(reader.Charged);
        return request;
    }

    /// <summary>Whether the answer's header has tagged fields (version 1); never for ApiVersions, whose reader does not know yet (KIP-511).</summary>
    public static void WriteHeader(KafkaWriter writer, RequestContext context, bool flexible)
    {
        writer.WriteInt32(0); // the length, known at the end
        writer.WriteInt32(context.Header.CorrelationId);
        if (flexible && context.Header.Key != ApiKey.ApiVersions) writer.WriteNoTags();
    }
}

/// <summary>An API by the types of its messages.</summary>
internal abstract class Api<TRequest, TResponse> : Api
    where TRequest : IKafkaMessage<TRequest>
    where TResponse : class, IKafkaMessage<TResponse>
{
    public sealed override ApiKey Key => TRequest.Api;

    public sealed override short Min => Math.Max(AdvertisedMin, TRequest.LowestVersion);

    public sealed override short FlexibleFrom => TRequest.FlexibleFrom;

    public sealed override async ValueTask<KafkaWriter?> AnswerAsync(RequestContext context, ReadOnlyMemory<byte> body)
    {
        var response = await HandleAsync(Parse<TRequest>(body, context), context);
        if (response is null) return null;
        var writer = Compose(response, context, context.Version);
        Composed(response, writer);
        return writer;
    }

    /// <summary>Null: no answer.</summary>
    protected abstract ValueTask<TResponse?> HandleAsync(TRequest request, RequestContext context);

    /// <summary>The answer is ready to be sent.</summary>
    protected virtual void Composed(TResponse response, KafkaWriter writer)
    {
    }

    static KafkaWriter Compose(TResponse response, RequestContext context, short version)
    {
        var writer = new KafkaWriter();
        WriteHeader(writer, context, version >= TResponse.FlexibleFrom);
        response.Write(writer, version);
        writer.PatchInt32(0, checked((int)(writer.Length - 4)));
        return writer;
    }
}
