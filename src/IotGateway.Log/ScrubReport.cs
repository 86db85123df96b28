namespace IotGateway.Log;

/// <summary>What a check of the whole log has come to.</summary>
/// <param name="Segments">Segments read.</param>
/// <param name="Bytes">Bytes of them.</param>
/// <param name="Damaged">Segments with something wrong.</param>
/// <param name="Unmended">Of those, the ones that could not be written anew yet; readers pass over what is rotten in them.</param>
public sealed record ScrubReport(int Segments, long Bytes, int Damaged, int Unmended);
