using System.Diagnostics;
using System.Globalization;
using System.Text;
using IotGateway.Broker.Groups.Classic;
using IotGateway.Broker.Groups.Consumer;
using IotGateway.Broker.Protocol;
using IotGateway.Testing;

namespace IotGateway.Broker.Tests.Groups;

/// <summary>
/// What lies as bytes inside members' requests and is read all the same, random and mutated: read, or taken for something else, in time, with little
/// memory. FUZZ says how many inputs, shared out; seed printed (<see cref="Fuzzer"/>).
/// </summary>
public sealed class FuzzTests(ITestOutputHelper output)
{
    /// <summary>An automaton of the largest size allowed, with what is thrown away while it is made, whatever the text's length.</summary>
    const long Most = 48 << 20;

    static readonly long Each = Math.Max(1, Fuzzer.Executions(30_000) / 3);

    [Fact]
    public void Metadata_of_members()
    {
        var corpus = Enumerable.Range(0, 4).Select(v => Metadata((short)v)).ToList();
        Assert.All(corpus, bytes => Assert.Equal(["a", "b"], ConsumerSubscription.Read(bytes)!.Topics));
        var read = 0;
        Run("metadata", corpus, bytes => read += ConsumerSubscription.Read(bytes) is null ? 0 : 1);
        Assert.InRange(read, 1, Each - 1); // both outcomes were exercised
    }

    [Fact]
    public void Assignments_by_members()
    {
        var whole = ConsumerAssignment.Write(3, [("a", 0), ("a", 1), ("b", 7)]);
        Assert.Equal(3, ConsumerAssignment.Read(whole).Count);
        var read = 0;
        Run("assignment", [whole, ConsumerAssignment.Write(0, [])], bytes => read += ConsumerAssignment.Read(bytes).Count > 0 ? 1 : 0);
        Assert.InRange(read, 1, Each - 1);
    }

    [Fact]
    public void Expressions_for_topics()
    {
        string[] valid = [@"readings\..*", "(?P<line>a|b)[[:alpha:]]+", @"\Qa.b\E|\pL{2,3}", "(a{1,9}){1,9}", "^[^a-z]?(?i:x)$"];
        var corpus = valid.Select(Encoding.UTF8.GetBytes).ToList();
        output.WriteLine($"FUZZ_SEED={Fuzzer.Seed}, {Each} inputs");
        var (fuzzer, matched, most) = (new Fuzzer("expression", Fuzzer.Seed), 0, 0L);
        for (long i = 0; i < Each; i++)
        {
            var text = Encoding.UTF8.GetString(fuzzer.Next(corpus));
            var (before, began) = (GC.GetAllocatedBytesForCurrentThread(), Worked());
            if (TopicPattern.Make(text, out _) is { } pattern && pattern.Matches("readings.line-1.press")) matched++;
            var (allocated, took) = (GC.GetAllocatedBytesForCurrentThread() - before, Worked() - began);
            most = Math.Max(most, allocated);
            Assert.True(allocated <= Most && took < TimeSpan.FromSeconds(1), $"Input {i}, {text}: {allocated} bytes allocated and {took} taken.");
        }
        output.WriteLine($"at most {most} bytes allocated");
        Assert.NotEqual(0, matched);
    }

    /// <summary>This thread's processor time, where the system tells it: on a crowded machine seconds pass with nothing done.</summary>
    static TimeSpan Worked()
    {
        const string told = "/proc/thread-self/schedstat"; // its first number, in ns (Linux, sched-stats)
        return File.Exists(told) ? TimeSpan.FromMicroseconds(long.Parse(File.ReadAllText(told).Split(' ')[0], CultureInfo.InvariantCulture) / 1000) : Stopwatch.GetElapsedTime(0);
    }

    void Run(string target, IReadOnlyList<byte[]> corpus, Action<byte[]> body)
    {
        output.WriteLine($"FUZZ_SEED={Fuzzer.Seed}, {Each} inputs");
        new Fuzzer(target, Fuzzer.Seed).Run(Each, corpus, body, _ => false);
    }

    static byte[] Metadata(short version)
    {
        using var writer = new KafkaWriter();
        writer.WriteInt16(version);
        writer.WriteStrings(["a", "b"], false, false);
        writer.WriteBytes(new byte[] { 1, 2, 3 }, false, true);
        if (version >= 1) ConsumerAssignment.WritePartitions(writer, [("a", 0), ("b", 1)]);
        if (version >= 2) writer.WriteInt32(7);
        if (version >= 3) writer.WriteString("rack", false, true);
        return writer.ToArray();
    }
}
