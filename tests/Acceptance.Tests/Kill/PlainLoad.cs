namespace Acceptance.Tests.Kill;

/// <summary>Idempotent producers on a topic that keeps everything: all there, once, in order.</summary>
sealed class PlainLoad : Load
{
    readonly JournalingProducers _producers;
    readonly Follower _follower;
    readonly Sequences _sequences;
    readonly string _bootstrap, _topic;
    readonly int _partitions;

    /// <param name="bootstrap">The gateway.</param>
    /// <param name="topic">An existing topic.</param>
    /// <param name="partitions">How many partitions it has.</param>
    /// <param name="producers">How many write it.</param>
    /// <param name="pause">Milliseconds each rests after 16 records.</param>
    public PlainLoad(string bootstrap, string topic, int partitions, int producers, int pause)
    {
        (_bootstrap, _topic, _partitions) = (bootstrap, topic, partitions);
        _producers = new(bootstrap, topic, partitions, count: producers, pause: pause);
        _follower = new(bootstrap, topic, partitions);
        _sequences = new(Failures.Enqueue);
    }

    public override long Acknowledged => _producers.Acknowledged;

    public override string Summary => $"{Acknowledged} records of {_producers.Journal.Count} idempotent producers in {_topic}";

    public override Task CheckAsync() => Task.Run(() =>
    {
        var journal = _producers.Journal;
        _follower.Read(_sequences.Take);
        _sequences.Compare(journal);
        foreach (var failure in _producers.Failures) Failures.Enqueue(failure);
    });

    /// <summary>Writes no more, so that what reads it comes to an end.</summary>
    public Task StopAsync() => _producers.FinishAsync(240);

    public override async Task FinishAsync()
    {
        await StopAsync();
        await CheckAsync();
        // All of it again, by a reader that knows nothing: what was there once must be there still.
        using var reader = new Follower(_bootstrap, _topic, _partitions);
        var all = new Sequences(Failures.Enqueue);
        reader.Read(all.Take);
        all.Compare(_producers.Journal);
        if (all.Count != Acknowledged) Failures.Enqueue($"{_topic} has {all.Count} records; {Acknowledged} were acknowledged");
    }

    public override ValueTask DisposeAsync()
    {
        _producers.Dispose();
        _follower.Dispose();
        return default;
    }
}
