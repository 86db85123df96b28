using Microsoft.Extensions.Logging;

namespace IotGateway.Broker.Groups.Core;

/// <summary>What every group needs of the world.</summary>
internal sealed record GroupEnvironment(GroupOptions Options, GroupSettings Settings, GroupClock Clock, IGroupTopics Topics, ILogger Logger);
