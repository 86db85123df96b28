namespace IotGateway.Broker.Server;

/// <summary>
/// The APIs served, in the versions told. The minimums are those of Apache Kafka 4.3.1, also where they cost nothing to lower: old
/// clients decide by them what a broker is. Produce says 0 though versions 0 to 2 are closed (KAFKA-18659).
/// </summary>
internal static class Catalogue
{
    public static ApiTable Create(Broker broker)
    {
        var configs = new ConfigResources(broker);
        return new(
        [
            new ProduceApi(broker) { AdvertisedMin = 0, Max = 13 },
            new FetchApi(broker) { AdvertisedMin = 4, Max = 18 },
            new ListOffsetsApi(broker) { AdvertisedMin = 1, Max = 11 },
            new MetadataApi(broker) { AdvertisedMin = 0, Max = 13 },
            new OffsetCommitApi(broker) { AdvertisedMin = 2, Max = 10 },
            new OffsetFetchApi(broker) { AdvertisedMin = 1, Max = 10 },
            new FindCoordinatorApi(broker) { AdvertisedMin = 0, Max = 6 },
            new JoinGroupApi(broker) { AdvertisedMin = 0, Max = 9 },
            new HeartbeatApi(broker) { AdvertisedMin = 0, Max = 4 },
            new LeaveGroupApi(broker) { AdvertisedMin = 0, Max = 5 },
            new SyncGroupApi(broker) { AdvertisedMin = 0, Max = 5 },
            new DescribeGroupsApi(broker) { AdvertisedMin = 0, Max = 6 },
            new ListGroupsApi(broker) { AdvertisedMin = 0, Max = 5 },
            new SaslHandshakeApi { AdvertisedMin = 0, Max = 1 },
            new ApiVersionsApi(broker) { AdvertisedMin = 0, Max = 4 },
            new CreateTopicsApi(broker) { AdvertisedMin = 2, Max = 7 },
            new DeleteTopicsApi(broker) { AdvertisedMin = 1, Max = 6 },
            new DeleteRecordsApi(broker) { AdvertisedMin = 0, Max = 2 },
            new InitProducerIdApi(broker) { AdvertisedMin = 0, Max = 5 },
            new OffsetForLeaderEpochApi(broker) { AdvertisedMin = 2, Max = 4 },
            new AddPartitionsToTxnApi(broker) { AdvertisedMin = 0, Max = 3 },
            new AddOffsetsToTxnApi(broker) { AdvertisedMin = 0, Max = 4 },
            new EndTxnApi(broker) { AdvertisedMin = 0, Max = 5 },
            new WriteTxnMarkersApi(broker) { AdvertisedMin = 1, Max = 2 },
            new TxnOffsetCommitApi(broker) { AdvertisedMin = 0, Max = 5 },
            new DescribeAclsApi(broker) { AdvertisedMin = 1, Max = 3 },
            new CreateAclsApi(broker) { AdvertisedMin = 1, Max = 3 },
            new DeleteAclsApi(broker) { AdvertisedMin = 1, Max = 3 },
            new DescribeConfigsApi(configs) { AdvertisedMin = 1, Max = 4 },
            new AlterConfigsApi(configs) { AdvertisedMin = 0, Max = 2 },
            new DescribeLogDirsApi(broker) { AdvertisedMin = 1, Max = 5 },
            new SaslAuthenticateApi { AdvertisedMin = 0, Max = 2 },
            new CreatePartitionsApi(broker) { AdvertisedMin = 0, Max = 3 },
            new DeleteGroupsApi(broker) { AdvertisedMin = 0, Max = 2 },
            new ElectLeadersApi(broker) { AdvertisedMin = 0, Max = 2 },
            new IncrementalAlterConfigsApi(configs) { AdvertisedMin = 0, Max = 1 },
            new ListPartitionReassignmentsApi { AdvertisedMin = 0, Max = 0 },
            new OffsetDeleteApi(broker) { AdvertisedMin = 0, Max = 0 },
            new DescribeClientQuotasApi { AdvertisedMin = 0, Max = 1 },
            new DescribeUserScramCredentialsApi(broker.Authenticator.Users) { AdvertisedMin = 0, Max = 0 },
            new AlterUserScramCredentialsApi(broker.Authenticator.Users) { AdvertisedMin = 0, Max = 0 },
            new DescribeQuorumApi(broker) { AdvertisedMin = 0, Max = 2 },
            new DescribeClusterApi(broker) { AdvertisedMin = 0, Max = 2 },
            new DescribeProducersApi(broker) { AdvertisedMin = 0, Max = 0 },
            new DescribeTransactionsApi(broker) { AdvertisedMin = 0, Max = 0 },
            new ListTransactionsApi(broker) { AdvertisedMin = 0, Max = 2 },
            new ConsumerGroupHeartbeatApi(broker) { AdvertisedMin = 0, Max = 1 },
            new ConsumerGroupDescribeApi(broker) { AdvertisedMin = 0, Max = 1 },
            new ListConfigResourcesApi(broker) { AdvertisedMin = 0, Max = 1 },
            new DescribeTopicPartitionsApi(broker) { AdvertisedMin = 0, Max = 0 },
        ]);
    }
}
