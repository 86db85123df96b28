using IotGateway.Connect.Configs.Json;

namespace IotGateway.Connect.Configs.Binding;

/// <summary>Collects problems of one load. Not thread-safe.</summary>
internal sealed class Report
{
    int _counted, _errors;

    public List<ConfigProblem> Problems { get; } = [];

    /// <summary>Errors so far. Asked once per object, so only what is new is counted.</summary>
    public int Errors
    {
        get
        {
            for (; _counted < Problems.Count; _counted++)
                if (Problems[_counted].Severity == Severity.Error) _errors++;
            return _errors;
        }
    }

    public void Error(ConfigNode at, string path, string message, string fix = "") => Problems.Add(new(at.File, at.Line, at.Column, path, message, fix));

    public void Error(ConfigMember at, string path, string message, string fix) => Problems.Add(new(at.Value.File, at.Line, at.Column, path, message, fix));

    public void Warn(ConfigNode at, string path, string message, string fix) => Problems.Add(new(at.File, at.Line, at.Column, path, message, fix, Severity.Warning));
}
