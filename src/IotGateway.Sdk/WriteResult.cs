namespace IotGateway.Sdk;

/// <summary>What became of a batch given to <see cref="ISink.WriteAsync"/>.</summary>
/// <param name="Settled">Length of the unbroken prefix that needs no retry: delivered, or listed in <paramref name="Rejected"/>.</param>
/// <param name="Rejected">Records of the prefix that can never be delivered; they go to the dead letters.</param>
public sealed record WriteResult(int Settled, params IReadOnlyList<Rejection> Rejected);

/// <summary>One record that can never be delivered.</summary>
/// <param name="Index">Its index in the batch.</param>
/// <param name="Reason">What is wrong with it, in a sentence.</param>
public sealed record Rejection(int Index, string Reason);
