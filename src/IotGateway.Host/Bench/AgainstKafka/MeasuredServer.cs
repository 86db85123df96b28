using Confluent.Kafka;
using Confluent.Kafka.Admin;
using IotGateway.Host.Cli;

namespace IotGateway.Host.Bench.AgainstKafka;

/// <summary>One of the two programs: a broker of one node on loopback, with a folder of its own on the same disk. Not thread-safe.</summary>
abstract class MeasuredServer : IAsyncDisposable
{
    const int Tries = 60, Little = 1 << 20;
    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100), Settle = TimeSpan.FromSeconds(1);
    int _topics;

    /// <summary>What it is called in reports.</summary>
    public abstract string Name { get; }

    /// <summary>Where clients connect.</summary>
    public abstract string Bootstrap { get; }

    /// <summary>Its process.</summary>
    public abstract int Pid { get; }

    /// <summary>Folder that holds its partitions' folders.</summary>
    public abstract string Partitions { get; }

    /// <summary>Settings of a topic whose records are acknowledged from the page cache; else they are those the program starts with.</summary>
    protected abstract Dictionary<string, string> Unsynced { get; }

    /// <summary>Starts it; returns when it was executed, not when it answers.</summary>
    public abstract Task StartAsync(CancellationToken ct);

    /// <summary>Ends it: cleanly, or by kill -9.</summary>
    public abstract Task EndAsync(bool kill);

    public abstract ValueTask DisposeAsync();

    /// <summary>Waits until it answers a client.</summary>
    public async Task ReadyAsync(CancellationToken ct)
    {
        for (var i = 0; ; i++)
        {
            try
            {
                using var admin = KafkaClients.Admin(Bootstrap);
                admin.GetMetadata(TimeSpan.FromSeconds(1));
                return;
            }
            catch (KafkaException) when (i < Tries)
            {
                await Task.Delay(Pause, TimeProvider.System, ct).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Makes a topic under a name not used before.</summary>
    public async Task<string> CreateTopicAsync(int partitions, bool synced)
    {
        var name = $"bench-{++_topics}";
        using var admin = KafkaClients.Admin(Bootstrap);
        Dictionary<string, string> settings = synced ? [] : Unsynced;
        await admin.CreateTopicsAsync([new TopicSpecification { Name = name, NumPartitions = partitions, ReplicationFactor = 1, Configs = settings }]).ConfigureAwait(false);
        for (var i = 0; ; i++)
        {
            try
            {
                Records(name, partitions);
                return name;
            }
            catch (KafkaException) when (i < Tries) // Kafka has made the topic; its partitions have leaders a little later
            {
                await Task.Delay(Pause, TimeProvider.System).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Waits until it writes next to nothing: a new log fills its write-ahead files, which is no part of what is measured.</summary>
    public async Task QuietAsync(CancellationToken ct)
    {
        for (var i = 0; i < Tries; i++)
        {
            var before = ProcessFigures.Written(Pid);
            await Task.Delay(Settle, TimeProvider.System, ct).ConfigureAwait(false);
            if (ProcessFigures.Written(Pid) - before < Little) return;
        }
    }

    /// <summary>
    /// Deletes it, so that the next run finds the memory and the disk as this one did: returns once its files are gone, as either program
    /// may see to that later, at the cost of the run it falls into.
    /// </summary>
    /// <exception cref="CliException">They did not go.</exception>
    public async Task DeleteTopicAsync(string name)
    {
        using (var admin = KafkaClients.Admin(Bootstrap)) await admin.DeleteTopicsAsync([name]).ConfigureAwait(false);
        for (var i = 0; Directory.EnumerateDirectories(Partitions, $"{name}-*", SearchOption.AllDirectories).Any(); i++)
        {
            if (i == Tries) throw new CliException($"{Name} deleted {name}; its files are still there.");
            await Task.Delay(Pause, TimeProvider.System).ConfigureAwait(false);
        }
    }

    /// <summary>Records in a topic, by its offsets.</summary>
    public long Records(string topic, int partitions)
    {
        using var consumer = KafkaClients.Consumer(Bootstrap, null);
        long sum = 0;
        for (var i = 0; i < partitions; i++)
        {
            var offsets = consumer.QueryWatermarkOffsets(new TopicPartition(topic, i), TimeSpan.FromSeconds(20));
            sum += offsets.High.Value - offsets.Low.Value;
        }
        return sum;
    }

    /// <summary>Measures what a client does to it.</summary>
    public async Task<Sample> MeasureAsync(Func<Task<TimeSpan>> run, Func<long> count)
    {
        var (before, cpu) = (count(), ProcessFigures.Cpu(Pid));
        var elapsed = await run().ConfigureAwait(false);
        var used = ProcessFigures.Cpu(Pid) - cpu;
        return new(count() - before, elapsed, used);
    }
}
