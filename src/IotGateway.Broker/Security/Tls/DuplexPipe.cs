using System.IO.Pipelines;

namespace IotGateway.Broker.Security.Tls;

/// <summary>Both ways of a connection.</summary>
internal sealed class DuplexPipe(PipeReader input, PipeWriter output) : IDuplexPipe
{
    public PipeReader Input => input;

    public PipeWriter Output => output;
}
