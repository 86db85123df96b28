namespace IotGateway.Log.Inspection;

/// <summary>What <see cref="LogRepair"/> has done, or would do.</summary>
/// <param name="Actions">Each thing, as a sentence.</param>
/// <param name="Unmended">Segments with damage that could not be written anew; readers pass over it.</param>
public sealed record RepairReport(IReadOnlyList<string> Actions, int Unmended);
