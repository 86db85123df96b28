using IotGateway.Connect.Configs;

namespace IotGateway.Connect.Tasks;

/// <summary>Pauses between attempts: doubled each time up to the longest, then shortened by up to a fifth so that connectors do not try in step. Pure.</summary>
static class Backoff
{
    /// <param name="options">Bounds.</param>
    /// <param name="attempt">From 1.</param>
    /// <param name="chance">From 0 up to 1.</param>
    public static TimeSpan After(RetryOptions options, int attempt, double chance)
    {
        var doubled = options.Initial * Math.Pow(2, Math.Min(attempt - 1, 40));
        return (doubled < options.Max ? doubled : options.Max) * (1 - 0.2 * chance);
    }
}
