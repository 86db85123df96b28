using IotGateway.Broker.Protocol;

namespace IotGateway.Broker.Tests.Server.Access;

/// <summary>A request, what it says to those who may not, and which sets of ACLs each make it say what it says to those who may everything.</summary>
/// <param name="Api">Whose.</param>
/// <param name="What">The request, in words.</param>
/// <param name="Denied">The answer's part that matters, without any ACL.</param>
/// <param name="Ask">Sends the request, returns that part of the answer.</param>
/// <param name="Ways">Sets of ACLs; in each, every one is needed.</param>
sealed record AccessCase(ApiKey Api, string What, string Denied, Func<AccessWorld, Task<string>> Ask, params Grant[][] Ways);
