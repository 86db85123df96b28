namespace IotGateway.Log.Inspection;

/// <summary>Something wrong in a data directory.</summary>
/// <param name="Path">The file.</param>
/// <param name="Position">Where in it; -1 when it is about the whole file.</param>
/// <param name="Problem">What is wrong.</param>
public sealed record LogFinding(string Path, long Position, string Problem);
