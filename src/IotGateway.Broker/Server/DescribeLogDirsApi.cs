using IotGateway.Broker.Protocol;
using IotGateway.Broker.Protocol.Messages;
using IotGateway.Broker.Security.Acls;
using IotGateway.Log;

namespace IotGateway.Broker.Server;

/// <summary>Tells the sizes of partitions and of the one disk they are on.</summary>
internal sealed class DescribeLogDirsApi(Broker broker) : Api<DescribeLogDirsRequest, DescribeLogDirsResponse>
{
    static readonly AccessRule DescribeCluster = AccessRule.Cluster(AclOperation.Describe);

    public override IReadOnlyList<AccessRule> Access => [DescribeCluster];

    protected override ValueTask<DescribeLogDirsResponse?> HandleAsync(DescribeLogDirsRequest request, RequestContext context)
    {
        if (!context.Allows(DescribeCluster)) return new(new DescribeLogDirsResponse { ErrorCode = (short)DescribeCluster.Error });
        var asked = request.Topics?.GroupBy(t => t.Topic).ToDictionary(g => g.Key, g => g.SelectMany(t => t.Partitions).ToHashSet());
        var directory = new DescribeLogDirsResponse.DescribeLogDirsResult { LogDir = broker.Options.DataDirectory ?? "" };
        if (broker.Options.DataDirectory is { } path)
        {
            var drive = new DriveInfo(path);
            (directory.TotalBytes, directory.UsableBytes) = (drive.TotalSize, drive.AvailableFreeSpace);
        }
        foreach (var topic in broker.Store.Topics.Where(t => asked is null || asked.ContainsKey(t.Name)))
        {
            directory.Topics.Add(new()
            {
                Name = topic.Name,
                Partitions = [.. topic.Partitions.Where(p => asked is null || asked[topic.Name].Contains(p.Index)).Select(Describe)],
            });
        }
        return new(new DescribeLogDirsResponse { Results = [directory] });
    }

    static DescribeLogDirsResponse.DescribeLogDirsPartition Describe(Partition partition) => new() { PartitionIndex = partition.Index, PartitionSize = partition.SizeBytes };
}
