using IotGateway.Connect.Configs.Json;

namespace IotGateway.Connect.Configs.Binding;

/// <summary>Collects problems of one load. Not thread-safe.</summary>
internal sealed class Report
{
    public List<ConfigProblem> Problems { get; } = [];

    public int Errors => Problems.Count(p => p.Severity == Severity.Error);

    public void Error(ConfigNode at, string path, string message, string fix = "") => Problems.Add(new(at.File, at.Line, at.Column, path, message, fix));

    public void Error(ConfigMember at, string path, string message, string fix) => Problems.Add(new(at.Value.File, at.Line, at.Column, path, message, fix));

    public void Warn(ConfigNode at, string path, string message, string fix) => Problems.Add(new(at.File, at.Line, at.Column, path, message, fix, Severity.Warning));
}
