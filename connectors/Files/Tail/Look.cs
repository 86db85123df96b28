namespace IotGateway.Connectors.Files.Tail;

/// <summary>What a look at a file brought.</summary>
enum Look
{
    /// <summary>Everything there is has been read.</summary>
    AtEnd,

    /// <summary>Lines were read; there may be more.</summary>
    More,

    /// <summary>The batch has no room: hand it on and look again.</summary>
    BatchFull,
}
