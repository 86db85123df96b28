using System.Globalization;
using System.Text;
using IotGateway.Log.Records;
using IotGateway.Log.Wal;

namespace IotGateway.Log.Tests.Model;

/// <content>The work.</content>
sealed partial class ModelRun
{
    const int Keys = 5;
    static readonly string[] Durabilities = ["fsync", "fsync", "os", "interval:1ms"];

    // Started one after the other, on one thread, up to the first wait; the ends come as they come.
    Task StepAsync(LogStore log)
    {
        var topics = log.Topics.ToList();
        var what = _random.Next(100);
        if (topics.Count == 0 || what < 4) return CreateAsync(log);
        var topic = topics[_random.Next(topics.Count)];
        var partition = topic.Partitions[_random.Next(topic.Partitions.Count)];
        return what switch
        {
            < 6 => DeleteAsync(log, topic),
            < 8 => Ignore<UnknownTopicException>(Ignore<ArgumentException>(log.AddPartitionsAsync(topic.Id, topic.Partitions.Count + 1, default).AsTask())),
            < 12 => Checkpoint(log),
            < 16 => DeleteRecordsAsync(partition),
            < 20 => RetainAsync(log),
            < 24 => CompactAsync(log),
            < 27 => ConfigureAsync(log, topic),
            < 55 when topic.Rules is { Durability: Durability.Fsync, Compacts: false } => SendAsync(log, partition),
            _ => CommitAsync(log, topics),
        };
    }

    static Task Checkpoint(LogStore log)
    {
        log.RequestCheckpoint();
        return Task.CompletedTask;
    }

    async Task CreateAsync(LogStore log)
    {
        var settings = new Dictionary<string, string>
        {
            ["iotgateway.durability"] = Durabilities[_random.Next(Durabilities.Length)],
            ["segment.bytes"] = _random.Next(2) == 0 ? "2000" : "100000",
        };
        if (_random.Next(3) == 0) settings["retention.bytes"] = "5000";
        if (_random.Next(4) == 0)
        {
            settings["cleanup.policy"] = "compact";
            settings["min.cleanable.dirty.ratio"] = "0";
        }
        var name = "t" + _random.Next(4);
        try
        {
            var topic = await log.CreateTopicAsync(name, _random.Next(1, 3), new() { Settings = settings }, default);
            lock (_created) _created.Add(topic.Id);
        }
        catch (TopicExistsException) { }
        catch (LogFullException) { }
    }

    async Task DeleteAsync(LogStore log, Topic topic)
    {
        lock (_perhapsDeleted) _perhapsDeleted.Add(topic.Id);
        await Ignore<UnknownTopicException>(log.DeleteTopicAsync(topic.Id, default).AsTask());
        if (log.Find(topic.Id) is null) lock (_deleted) _deleted.Add(topic.Id);
    }

    async Task DeleteRecordsAsync(Partition partition)
    {
        var model = Model(partition);
        var to = _random.NextInt64(partition.HighWatermark + 1);
        model.PerhapsStart = Math.Max(model.PerhapsStart, to);
        await Ignore<InvalidOperationException>(partition.DeleteRecordsAsync(to, default).AsTask());
    }

    async Task RetainAsync(LogStore log)
    {
        // Whatever is there may go: that enough stays is another test's.
        foreach (var partition in log.Topics.Where(t => t.Rules is { Deletes: true, RetentionBytes: >= 0 }).SelectMany(t => t.Partitions)) Model(partition).PerhapsStart = long.MaxValue;
        await log.ApplyRetentionAsync(default);
    }

    static async Task CompactAsync(LogStore log) => await log.CompactAsync(default);

    async Task ConfigureAsync(LogStore log, Topic topic)
    {
        var value = _random.Next(1_000_000).ToString(CultureInfo.InvariantCulture) + "000000";
        ModelTopic model;
        lock (_topics)
        {
            if (!_topics.TryGetValue(topic.Id, out model!)) _topics.Add(topic.Id, model = new("")); // none yet
            model.Perhaps.Add(value);
        }
        try
        {
            await log.SetConfigAsync(topic.Id, new() { Settings = new Dictionary<string, string>(topic.Config.Settings) { ["flush.ms"] = value } }, default);
        }
        catch (UnknownTopicException) { }
    }

    // Idempotent: what has no answer is sent again, after whatever happened, and is there once.
    async Task SendAsync(LogStore log, Partition partition)
    {
        var model = Model(partition);
        if (model.Streams.Length == 0) model.Streams = [new(++_producer), new(++_producer)];
        var stream = model.Streams[_random.Next(model.Streams.Length)];
        if (stream.Stalled)
        {
            if (stream.Resending) return;
            stream.Resending = true;
            foreach (var (sequence, texts) in stream.Unanswered.ToList())
                if (!await SendAsync(log, partition, stream, sequence, texts, again: true)) return;
            (stream.Stalled, stream.Resending) = (false, false);
            return;
        }
        if (stream.Unanswered.Count >= IdempotentStream.MostUnanswered) return;
        var id = Interlocked.Increment(ref _unit);
        string[] fresh = [.. Enumerable.Range(0, _random.Next(1, 4)).Select(n => $"{id}:i{stream.Producer}:{n}")];
        lock (model.Sent) model.Sent.UnionWith(fresh);
        var first = stream.NextSequence;
        stream.Unanswered.Add((first, fresh));
        stream.NextSequence += fresh.Length;
        await SendAsync(log, partition, stream, first, fresh, again: false);
    }

    async Task<bool> SendAsync(LogStore log, Partition partition, IdempotentStream stream, int sequence, string[] texts, bool again)
    {
        var unit = new LogUnit();
        unit.Append(partition, Batches.Idempotent(stream.Producer, 0, sequence, texts));
        try
        {
            var result = (await log.CommitAsync(unit, default))[0];
            if (result.Error is AppendError.None or AppendError.DuplicateSequence)
            {
                Assert.True(partition.HighWatermark > result.LastOffset, "An acknowledged record must be readable.");
                for (var n = 0; n < texts.Length; n++) Model(partition).Acknowledge(result.BaseOffset + n, texts[n]);
                stream.Unanswered.RemoveAll(u => u.Sequence == sequence);
                return true;
            }
            // Behind one that was refused for want of space the next are out of order; when it is sent again, nothing is.
            Assert.True(result.Error == AppendError.UnknownPartition || (result.Error == AppendError.OutOfOrderSequence && !again), $"{result.Error} for sequence {sequence} of producer {stream.Producer}, again: {again}.");
            (stream.Stalled, stream.Resending) = (true, false);
            return false;
        }
        catch (LogFullException)
        {
            (stream.Stalled, stream.Resending) = (true, false);
            return false;
        }
    }

    async Task CommitAsync(LogStore log, List<Topic> topics)
    {
        var unit = new LogUnit();
        var id = Interlocked.Increment(ref _unit);
        var sent = new List<(Partition Partition, int Count, string Text)>();
        for (var i = _random.Next(1, 4); i > 0; i--)
        {
            var topic = topics[_random.Next(topics.Count)];
            var partition = topic.Partitions[_random.Next(topic.Partitions.Count)];
            var count = _random.Next(1, 4);
            // Now and then of a size whose checksum the frame's is made from.
            var text = $"{id}:{i}:" + new string('x', _random.Next(12) == 0 ? (KnownSum.Least / count) + 1 : _random.Next(200));
            sent.Add((partition, count, text));
            unit.Append(partition, Keyed([.. Enumerable.Range(0, count).Select(n => $"{text}:{n}")]));
        }
        var put = _random.Next(2) == 0;
        if (put) unit.Put("units", BitConverter.GetBytes(id), BitConverter.GetBytes(id));
        var model = _units[id] = new(put, [.. sent.Select(s => (s.Partition.Topic.Id, s.Partition.Index, s.Text, s.Count))]);
        foreach (var (partition, count, text) in sent)
            for (var n = 0; n < count; n++) lock (Model(partition).Sent) Model(partition).Sent.Add($"{text}:{n}");
        try
        {
            var results = await log.CommitAsync(unit, default);
            for (var i = 0; i < results.Count; i++)
            {
                if (results[i].Error is AppendError.UnknownPartition or AppendError.NotWritten)
                {
                    model.Refused = true;
                    continue;
                }
                Assert.Equal(AppendError.None, results[i].Error);
                Assert.True(sent[i].Partition.HighWatermark > results[i].LastOffset, "An acknowledged record must be readable.");
                for (var n = 0; n < sent[i].Count; n++) Model(sent[i].Partition).Acknowledge(results[i].BaseOffset + n, $"{sent[i].Text}:{n}");
            }
        }
        catch (LogFullException)
        {
            model.Refused = true;
        }
    }

    /// <summary>The key of a record follows from its text, for compacted topics.</summary>
    static int KeyOf(string text) => UnitOf(text) % Keys;

    static int UnitOf(string text) => int.Parse(text.AsSpan(0, text.IndexOf(':')), CultureInfo.InvariantCulture);

    static byte[] Keyed(string[] texts)
    {
        var builder = new RecordBatchBuilder();
        foreach (var text in texts) builder.Add(Batches.Time, [(byte)KeyOf(text)], Encoding.UTF8.GetBytes(text), hasKey: true);
        return builder.Build().ToArray();
    }

    static async Task Ignore<T>(Task task) where T : Exception
    {
        try
        {
            await task;
        }
        catch (T) { }
    }
}
