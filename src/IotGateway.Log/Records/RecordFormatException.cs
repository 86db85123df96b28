namespace IotGateway.Log.Records;

/// <summary>The records of a batch are not what its header says; the message says which record and why.</summary>
sealed class RecordFormatException(string message) : Exception(message);
