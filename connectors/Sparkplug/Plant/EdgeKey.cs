namespace IotGateway.Connectors.Sparkplug.Plant;

/// <summary>An edge node: its id is unique within its group.</summary>
readonly record struct EdgeKey(string Group, string Edge)
{
    /// <summary><c>group/edge</c>; neither holds a slash.</summary>
    public override string ToString() => Group + "/" + Edge;
}
