using IotGateway.Connect.EventLog;
using IotGateway.Connect.Health;
using Microsoft.Extensions.Logging;

namespace IotGateway.Connect.Tasks;

/// <summary>What all connectors of a gateway have in common. Each member is thread-safe.</summary>
sealed record Shared(
    string Gateway, WorkerOptions Options, IEventLog Log, TimeProvider Time, ILoggerFactory Loggers, Metrics Metrics,
    TagTable Tags, BusPool Buses, GapBook Gaps, HealthWriter Health, LiveReadings Live);
