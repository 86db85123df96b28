namespace IotGateway.Log.Tests.Model;

/// <summary>An idempotent producer's way into one partition as it sees it: what it sent and has no answer to, in order. It sends that again until it has.</summary>
sealed class IdempotentStream(long producer)
{
    /// <summary>As many batches as a broker remembers (KIP-98).</summary>
    public const int MostUnanswered = 5;

    public long Producer => producer;
    public int NextSequence { get; set; }
    public List<(int Sequence, string[] Texts)> Unanswered { get; } = [];

    /// <summary>Something was refused or not answered: nothing new until all of it is sent again.</summary>
    public bool Stalled { get; set; }
    public bool Resending { get; set; }
}
