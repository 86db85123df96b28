namespace IotGateway.Log;

/// <summary>A leader epoch and the first offset that may carry it.</summary>
readonly record struct EpochStart(int Epoch, long Offset);
