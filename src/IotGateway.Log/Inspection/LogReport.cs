namespace IotGateway.Log.Inspection;

/// <summary>What <see cref="LogInspector.VerifyAsync(string, CancellationToken)"/> has looked at and found.</summary>
/// <param name="Topics">Topics in the checkpoint.</param>
/// <param name="Segments">Segments read.</param>
/// <param name="Batches">Record batches whose checksums were computed.</param>
/// <param name="Bytes">Bytes of them.</param>
/// <param name="PendingFrames">Write-ahead frames that the next start will replay.</param>
/// <param name="Findings">What is wrong; empty when nothing is.</param>
public sealed record LogReport(
    int Topics, int Segments, long Batches, long Bytes, int PendingFrames, IReadOnlyList<LogFinding> Findings);
