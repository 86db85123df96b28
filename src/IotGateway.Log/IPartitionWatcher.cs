namespace IotGateway.Log;

/// <summary>Told of new data. Called on the applier's thread: must be quick and must not throw.</summary>
public interface IPartitionWatcher
{
    /// <summary><paramref name="bytes"/> more bytes can be read; 0: the partition was deleted, or the end of a transaction let more be stable.</summary>
    void Advanced(Partition partition, int bytes);
}
