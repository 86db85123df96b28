namespace IotGateway.Connectors.Files.Config;

/// <summary>Which symbolic links are followed.</summary>
public enum LinkPolicy
{
    /// <summary>None below the path's fixed folder.</summary>
    None,

    /// <summary>Those whose target lies in the path's fixed folder.</summary>
    Inside,

    /// <summary>Any.</summary>
    Any,
}
