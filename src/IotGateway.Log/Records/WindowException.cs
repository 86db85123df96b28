namespace IotGateway.Log.Records;

/// <summary>A compressed batch refers further back than was kept of what it opens to: it has to be opened with a larger window.</summary>
sealed class WindowException() : Exception("A compressed batch refers further back than is kept of it.");
