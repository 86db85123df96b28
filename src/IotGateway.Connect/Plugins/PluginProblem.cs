namespace IotGateway.Connect.Plugins;

/// <summary>Why a plugin folder, or one connector in it, cannot be used. The others are not affected.</summary>
/// <param name="Folder">The plugin's folder.</param>
/// <param name="Message">What is wrong, in a sentence.</param>
/// <param name="Fix">What to do about it.</param>
public sealed record PluginProblem(string Folder, string Message, string Fix)
{
    /// <summary>One line for logs and consoles.</summary>
    public override string ToString() => $"{Folder}: {Message} {Fix}";
}
