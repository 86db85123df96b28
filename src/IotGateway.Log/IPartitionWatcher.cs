namespace IotGateway.Log;

/// <summary>Told of new data. Called on the applier's thread: must be quick and must not throw.</summary>
public interface IPartitionWatcher
{
    /// <summary><paramref name="bytes"/> more bytes can be read, or the partition was deleted (0).</summary>
    void Advanced(Partition partition, int bytes);
}
