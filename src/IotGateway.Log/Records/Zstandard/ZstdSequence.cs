namespace IotGateway.Log.Records.Zstandard;

/// <summary>So many literals, then a match.</summary>
/// <param name="Literals">Number of literals before it.</param>
/// <param name="Match">Its length.</param>
/// <param name="Offset">Its offset value (RFC 8878 §3.1.1.5).</param>
readonly record struct ZstdSequence(int Literals, int Match, uint Offset);
