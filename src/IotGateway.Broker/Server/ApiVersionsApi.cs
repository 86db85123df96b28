using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security.Acls;

namespace IotGateway.Broker.Server;

/// <summary>
/// Tells which APIs and versions there are. The one API that answers a version it does not have: with error 35 in the layout of
/// version 0 that every client reads, naming its own versions (KIP-511).
/// </summary>
internal sealed class ApiVersionsApi(Broker broker) : Api
{
    public override ApiKey Key => ApiKey.ApiVersions;

    public override short Min => 0;

    public override short FlexibleFrom => ApiVersionsRequest.FlexibleFrom;

    /// <summary>Nothing: who the client is comes after.</summary>
    public override IReadOnlyList<AccessRule> Access => [];

    public override ValueTask<KafkaWriter?> AnswerAsync(RequestContext context, ReadOnlyMemory<byte> body)
    {
        var known = context.Version >= Min && context.Version <= Max;
        var version = known ? context.Version : (short)0;
        var response = known ? Respond(context, body) : new() { ErrorCode = (short)KafkaError.UnsupportedVersion, ApiKeys = [Entry(this)] };
        var writer = new KafkaWriter();
        WriteHeader(writer, context, flexible: false);
        response.Write(writer, version);
        writer.PatchInt32(0, (int)(writer.Length - 4));
        return new(writer);
    }

    ApiVersionsResponse Respond(RequestContext context, ReadOnlyMemory<byte> body)
    {
        var version = context.Version;
        var request = Parse<ApiVersionsRequest>(body, context);
        if (version >= 3 && !(IsName(request.ClientSoftwareName) && IsName(request.ClientSoftwareVersion)))
            return new() { ErrorCode = (short)KafkaError.InvalidRequest };
        var response = new ApiVersionsResponse { ApiKeys = [.. broker.Apis.All.Select(Entry)] };
        Add(response, version, "group.version", 1, [ApiKey.ConsumerGroupHeartbeat, ApiKey.ConsumerGroupDescribe]);
        // All or nothing: a client that sees it ends its transactions by the newer rules.
        Add(response, version, "transaction.version", 2, [ApiKey.EndTxn, ApiKey.TxnOffsetCommit, ApiKey.InitProducerId, ApiKey.Produce]);
        response.FinalizedFeaturesEpoch = 0;
        return response;
    }

    void Add(ApiVersionsResponse response, short version, string feature, short level, ReadOnlySpan<ApiKey> needs)
    {
        foreach (var key in needs)
            if (broker.Apis.Find(key) is null) return;
        // Version 3 cannot carry features whose minimum is 0 (KAFKA-17011).
        if (version >= 4) response.SupportedFeatures.Add(new() { Name = feature, MinVersion = 0, MaxVersion = level });
        response.FinalizedFeatures.Add(new() { Name = feature, MinVersionLevel = level, MaxVersionLevel = level });
    }

    static ApiVersionsResponse.ApiVersion Entry(Api api) => new() { ApiKey = (short)api.Key, MinVersion = api.AdvertisedMin, MaxVersion = api.Max };

    /// <summary>Letters, digits, dots and dashes, the first and last neither dot nor dash (KIP-511).</summary>
    static bool IsName(string text)
        => text.Length > 0 && char.IsAsciiLetterOrDigit(text[0]) && char.IsAsciiLetterOrDigit(text[^1])
            && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-');
}
