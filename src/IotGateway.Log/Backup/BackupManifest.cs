using System.Text.Json.Serialization;

namespace IotGateway.Log.Backup;

/// <summary>File <c>backup.json</c>: written last, so that a folder without it is no backup.</summary>
/// <param name="Format">1.</param>
/// <param name="Log">Identity of the log it is of.</param>
/// <param name="At">When it was asked for, UTC.</param>
/// <param name="Sequence">Frame as of which it is.</param>
/// <param name="Topics">Topics.</param>
/// <param name="Segments">Segments.</param>
/// <param name="Bytes">Bytes of record batches.</param>
/// <param name="StateChecksum">CRC-32C of the state file.</param>
public sealed record BackupManifest(int Format, Guid Log, DateTimeOffset At, long Sequence, int Topics, int Segments, long Bytes, uint StateChecksum)
{
    /// <summary>The file's name.</summary>
    public const string Name = "backup.json";
}

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(BackupManifest))]
sealed partial class BackupJson : JsonSerializerContext;
