using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security.Acls;
using Partition = IotGateway.Log.Partition;

namespace IotGateway.Broker.Server;

/// <summary>Finds offsets by timestamp, and the special ones: -1 end, -2 start, -3 highest timestamp, -4 start of local data.</summary>
internal sealed class ListOffsetsApi(Broker broker) : Api<ListOffsetsRequest, ListOffsetsResponse>
{
    const long Latest = -1, Earliest = -2, MaxTimestamp = -3, EarliestLocal = -4, LatestTiered = -5, EarliestPendingUpload = -6;
    static readonly AccessRule Describe = AccessRule.Topic(AclOperation.Describe);

    public override IReadOnlyList<AccessRule> Access => [Describe];

    protected override async ValueTask<ListOffsetsResponse?> HandleAsync(ListOffsetsRequest request, RequestContext context)
    {
        var response = new ListOffsetsResponse();
        var twice = Repeated(request);
        foreach (var topic in request.Topics)
        {
            var found = broker.Store.Find(topic.Name);
            var allowed = context.Allows(Describe, topic.Name);
            var result = new ListOffsetsResponse.ListOffsetsTopicResponse { Name = topic.Name };
            response.Topics.Add(result);
            foreach (var asked in topic.Partitions.DistinctBy(p => p.PartitionIndex))
            {
                var answer = new ListOffsetsResponse.ListOffsetsPartitionResponse { PartitionIndex = asked.PartitionIndex };
                result.Partitions.Add(answer);
                if (twice.Contains((topic.Name, asked.PartitionIndex)))
                    answer.ErrorCode = (short)KafkaError.InvalidRequest;
                else if (!allowed)
                    answer.ErrorCode = (short)Describe.Error;
                else if (found is null || asked.PartitionIndex < 0 || asked.PartitionIndex >= found.Partitions.Count)
                    answer.ErrorCode = (short)KafkaError.UnknownTopicOrPartition;
                else
                    await FindAsync(found.Partitions[asked.PartitionIndex], asked, request.IsolationLevel == 1, context, answer);
            }
        }
        return response;
    }

    /// <summary>Partitions that are asked for more than once: each look may have to read, and none is told which is meant.</summary>
    static HashSet<(string, int)> Repeated(ListOffsetsRequest request)
    {
        var seen = new HashSet<(string, int)>();
        return [.. request.Topics.SelectMany(t => t.Partitions, (t, p) => (t.Name, p.PartitionIndex)).Where(p => !seen.Add(p))];
    }

    static async ValueTask FindAsync(Partition partition, ListOffsetsRequest.ListOffsetsPartition asked, bool committed, RequestContext context,
        ListOffsetsResponse.ListOffsetsPartitionResponse answer)
    {
        var error = Errors.CheckEpoch(partition, asked.CurrentLeaderEpoch);
        if (error == KafkaError.None && asked.Timestamp < OldestSpecial(context.Version)) error = KafkaError.UnsupportedVersion;
        if (error != KafkaError.None)
        {
            answer.ErrorCode = (short)error;
            return;
        }
        var end = committed ? partition.LastStableOffset : partition.HighWatermark;
        switch (asked.Timestamp)
        {
            case Latest: (answer.Offset, answer.LeaderEpoch) = (end, partition.LeaderEpoch); break;
            case Earliest or EarliestLocal: (answer.Offset, answer.LeaderEpoch) = Start(partition); break;
            case LatestTiered or EarliestPendingUpload: break; // nothing is tiered: no offset
            default:
                var found = asked.Timestamp == MaxTimestamp ? await partition.FindMaxTimestampAsync(context.ConnectionClosed)
                    : await partition.FindByTimeAsync(asked.Timestamp, context.ConnectionClosed);
                if (found is { } at && at.Offset < end) (answer.Offset, answer.Timestamp, answer.LeaderEpoch) = (at.Offset, at.Timestamp, at.LeaderEpoch);
                break;
        }
    }

    static (long Offset, int LeaderEpoch) Start(Partition partition)
    {
        var start = partition.LogStart;
        return (start, partition.EpochAt(start));
    }

    /// <summary>The special timestamps came one after the other.</summary>
    static long OldestSpecial(short version) => version switch
    {
        >= 11 => EarliestPendingUpload,
        >= 9 => LatestTiered,
        8 => EarliestLocal,
        7 => MaxTimestamp,
        _ => Earliest,
    };
}
