using IotGateway.Broker.Groups;
using IotGateway.Broker.Groups.Consumer;

namespace IotGateway.Broker.Tests.Groups;

/// <summary>The server-side assignors.</summary>
public sealed class AssignorTests
{
    [Theory]
    [MemberData(nameof(Cases))]
    public void Every_partition_has_one_reader_of_its_topic(string assignor, int seed)
    {
        Random random = new(seed);
        IAssignor assign = assignor == "range" ? new RangeAssignor() : new UniformAssignor();
        var topics = Enumerable.Range(0, random.Next(1, 6)).Select(i => new GroupTopic($"t{i}", Guid.NewGuid(), random.Next(1, 12))).ToDictionary(t => t.Name);
        Dictionary<string, HashSet<TopicPartition>> current = [];
        for (var round = 0; round < 10; round++)
        {
            var members = Enumerable.Range(0, random.Next(1, 8)).Select(i => new AssigneeMember($"m{i}", null,
                [.. topics.Keys.Where(_ => random.Next(3) > 0)], current.GetValueOrDefault($"m{i}") ?? [])).ToArray();
            var target = assign.Assign(members, topics);
            foreach (var topic in topics.Values)
            {
                var readers = members.Where(member => member.Topics.Contains(topic.Name)).Select(member => member.Id).ToArray();
                for (var partition = 0; partition < topic.Partitions; partition++)
                {
                    var owners = target.Where(entry => entry.Value.Contains(new(topic.Id, partition))).Select(entry => entry.Key).ToArray();
                    Assert.True(owners.Length == (readers.Length > 0 ? 1 : 0) && owners.All(readers.Contains), $"Seed {seed}, round {round}.");
                }
            }
            current = target;
        }
    }

    public static TheoryData<string, int> Cases()
    {
        TheoryData<string, int> cases = [];
        for (var seed = 0; seed < 30; seed++)
        {
            cases.Add("uniform", seed);
            cases.Add("range", seed);
        }
        return cases;
    }

    [Fact]
    public void Uniform_is_even_and_moves_as_little_as_it_can()
    {
        var topics = new[] { new GroupTopic("a", Guid.NewGuid(), 7), new GroupTopic("b", Guid.NewGuid(), 5) }.ToDictionary(topic => topic.Name);
        UniformAssignor uniform = new();
        var three = uniform.Assign([Member("m0"), Member("m1"), Member("m2")], topics);
        Assert.All(three.Values, items => Assert.Equal(4, items.Count));
        var four = uniform.Assign([Member("m0", three), Member("m1", three), Member("m2", three), Member("m3")], topics);
        Assert.All(four.Values, items => Assert.Equal(3, items.Count));
        Assert.All(three.Keys, id => Assert.Subset(three[id], four[id]));
        var back = uniform.Assign([Member("m0", four), Member("m1", four), Member("m2", four)], topics);
        Assert.All(back, entry => Assert.Superset(four[entry.Key], entry.Value));
        Assert.All(back.Values, items => Assert.Equal(4, items.Count));
    }

    [Fact]
    public void Range_gives_neighbours_and_keeps_topics_side_by_side()
    {
        var topics = new[] { new GroupTopic("a", Guid.NewGuid(), 5), new GroupTopic("b", Guid.NewGuid(), 5) }.ToDictionary(topic => topic.Name);
        var target = new RangeAssignor().Assign([Member("m1"), Member("m0")], topics);
        foreach (var topic in topics.Values)
        {
            Assert.Equal([0, 1, 2], target["m0"].Where(item => item.TopicId == topic.Id).Select(item => item.Partition).Order());
            Assert.Equal([3, 4], target["m1"].Where(item => item.TopicId == topic.Id).Select(item => item.Partition).Order());
        }
    }

    [Theory]
    [InlineData("a.*", "abc", true)]
    [InlineData("a.*", "xabc", false)]
    [InlineData(@"\Qa.b\E-\d+", "a.b-12", true)]
    [InlineData(@"\Qa.b\E", "axb", false)]
    [InlineData("(?P<x>a|b)c", "bc", true)]
    [InlineData(@"\pL+", "abc", true)]
    [InlineData("[[:digit:]_]+", "1_2", true)]
    [InlineData("a|b", "ab", false)]
    public void Expressions_match_whole_names_as_RE2_does(string expression, string topic, bool matches)
        => Assert.Equal(matches, TopicPattern.TryParse(expression, out _)!.Matches(topic));

    [Theory]
    [InlineData("(((a{1000}){1000}){1000})")]
    [InlineData("a{100001}")]
    [InlineData("(ab{1,400}c){300}")]
    [InlineData("a{99999999999999999999}")]
    public void Expressions_that_would_take_all_memory_are_refused(string expression)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Null(TopicPattern.TryParse(expression, out var error));
        Assert.NotNull(error);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 1 << 20);
    }

    public static TheoryData<string> Varied =>
    [
        string.Concat(Enumerable.Range(0x400, 300).Select(i => (char)i)),
        string.Concat(Enumerable.Range(0, 256).Select(i => $"\\x{i:x2}")),
        string.Concat(Enumerable.Range(0, 256).Select(i => "\\" + Convert.ToString(i, 8).PadLeft(3, '0'))),
        string.Concat(Enumerable.Range(0x400, 300).Select(i => $"\\u{i:x4}")),
        string.Concat("Lu,Ll,Lt,Lm,Lo,Mn,Mc,Me,Nd,Nl,No,Pc,Pd,Ps,Pe,Pi,Pf,Po,Sm,Sc,Sk,So,Zs,Zl,Zp,Cc,Cf,Cs,Co,Cn".Split(',').Select(c => $"\\p{{{c}}}")),
        new string('a', 10_000),
    ];

    [Theory]
    [MemberData(nameof(Varied), DisableDiscoveryEnumeration = true)]
    public void Expressions_that_are_long_or_tell_many_characters_apart_are_refused(string expression)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Null(TopicPattern.TryParse(expression, out var error));
        Assert.NotNull(error);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 1 << 20);
    }

    [Fact]
    public void All_characters_of_topics_names_may_be_told_apart()
    {
        var text = "(" + string.Join('|', "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-".Select(c => $"{c}")) + ")+[.](?i:[[:word:]]*)";
        var pattern = TopicPattern.TryParse(text, out var error);
        Assert.Null(error);
        Assert.True(pattern!.Matches("Line-7.Ab_9"));
        Assert.Same(pattern, TopicPattern.TryParse(text, out _));
    }

    [Fact]
    public void A_list_of_topics_is_a_fine_expression()
    {
        var pattern = TopicPattern.TryParse(string.Join('|', Enumerable.Range(0, 300).Select(i => $"line-{i}[.][a-z]{{1,3}}")), out var error);
        Assert.Null(error?[^200..]);
        Assert.True(pattern!.Matches("line-7.ab"));
    }

    static AssigneeMember Member(string id, Dictionary<string, HashSet<TopicPartition>>? current = null)
        => new(id, null, ["a", "b"], current?.GetValueOrDefault(id) ?? []);
}
