namespace Acceptance.Tests;

/// <summary>What librdkafka's authors ask of a broker: a quick choice of their tests. Everything listed passes against Apache Kafka 4.3.1.</summary>
public sealed class LibrdkafkaSuiteTests(LibrdkafkaSuite suite) : IClassFixture<LibrdkafkaSuite>
{
    [Theory]
    [InlineData("0001_multiobj")]
    [InlineData("0003_msgmaxsize")]
    [InlineData("0005_order")]
    [InlineData("0008_reqacks")]
    [InlineData("0011_produce_batch")]
    [InlineData("0012_produce_consume")]
    [InlineData("0013_null_msgs")]
    [InlineData("0019_list_groups")]
    [InlineData("0022_consume_batch")]
    [InlineData("0026_consume_pause")]
    [InlineData("0029_assign_offset")]
    [InlineData("0030_offset_commit")]
    [InlineData("0031_get_offsets")]
    [InlineData("0034_offset_reset")]
    [InlineData("0036_partial_fetch")]
    [InlineData("0042_many_topics")]
    [InlineData("0044_partition_cnt")]
    [InlineData("0048_partitioner")]
    [InlineData("0056_balanced_group_mt")]
    [InlineData("0057_invalid_topic")]
    [InlineData("0061_consumer_lag")]
    [InlineData("0070_null_empty")]
    [InlineData("0073_headers")]
    [InlineData("0085_headers")]
    [InlineData("0090_idempotence")]
    [InlineData("0102_static_group_rebalance")]
    [InlineData("0113_cooperative_rebalance")]
    [InlineData("0130_store_offsets")]
    [InlineData("0137_barrier_batch_consume")]
    [InlineData("0140_commit_metadata")]
    public Task Passes(string test) => suite.PassesAsync(test);

    /// <summary>These make ACLs with Apache Kafka's own tool.</summary>
    [Theory]
    [InlineData("0109_auto_create_topics")]
    [InlineData("0115_producer_auth")]
    [InlineData("0119_consumer_auth")]
    public Task Passes_with_acls(string test) => suite.PassesAsync(test, Machine.Kafka);
}
