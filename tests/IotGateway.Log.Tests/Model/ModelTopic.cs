namespace IotGateway.Log.Tests.Model;

/// <summary>What must be true of a topic: its configuration is the last one acknowledged, or one asked for since.</summary>
sealed class ModelTopic(string setting)
{
    public string Setting { get; set; } = setting;
    public HashSet<string> Perhaps { get; } = [];
}
