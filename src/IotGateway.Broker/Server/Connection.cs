using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Threading.Channels;
using IotGateway.Broker.Protocol;
using IotGateway.Broker.Security;
using IotGateway.Broker.Security.Sasl;
using IotGateway.Broker.Security.Tls;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.Logging;

namespace IotGateway.Broker.Server;

/// <summary>
/// One client. Invariants:
/// a frame's length is checked against the cap and claimed from the broker's budget before any of it is read, and stays claimed until
/// its answer is written, and so is, before a request is parsed, what may be read out of it; requests start in the order they arrive; a request starts only when the answers of all before it are on
/// their way, so that a client that does not read holds one answer and not hundreds, except that Produce requests overlap each other
/// (they take their place in the log before their first await); answers leave in the order of the requests. A malformed frame ends
/// this connection and nothing else, and so does a client that dawdles (<see cref="Patience"/>).
/// </summary>
internal sealed partial class Connection : IAsyncDisposable
{
    const int MostInFlight = 256;
    const int LeastFrame = 8; // key, version, correlation id
    const int MostBeforeAuthentication = 64 * 1024;
    const int Chunk = 64 * 1024;
    /// <summary>Bytes of unanswered requests after which the next is left in the client's socket: twice what the log takes in one cycle, so that it never waits for us.</summary>
    const int MostHeld = 4 << 20;
    readonly ConnectionContext _transport;
    readonly Broker _broker;
    readonly CancellationTokenSource _closed;
    readonly CancellationTokenSource _done;
    readonly Channel<Pending> _answers = Channel.CreateBounded<Pending>(new BoundedChannelOptions(MostInFlight) { SingleReader = true, SingleWriter = true });
    readonly Patience _patience;
    readonly long _began;
    readonly Lock _lock = new();
    TaskCompletionSource? _drained, _room;
    long _held;
    bool _earlierOverlap = true;
    int _unanswered;
    volatile bool _ends;
    Principal? _certified;

    public Connection(ConnectionContext transport, Listener listener, Broker broker)
    {
        (_transport, Listener, _broker) = (transport, listener, broker);
        // The second is the broker's stop: what was taken is answered, nothing more is read.
        var stopping = transport.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested ?? CancellationToken.None;
        _closed = CancellationTokenSource.CreateLinkedTokenSource(transport.ConnectionClosed, stopping);
        // Not the transport's end: what a client sent before it closed its side is still taken and answered (acks=0, then close).
        _done = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        _patience = new Patience(broker.Options, broker.Time);
        _began = broker.Time.GetTimestamp();
        Address = (transport.RemoteEndPoint as IPEndPoint)?.Address ?? IPAddress.None;
        Host = transport.RemoteEndPoint is IPEndPoint remote ? HostAddress.Of(remote.Address) : "";
        Sasl = listener.Options.Sasl is { } sasl ? new SaslSession(sasl, broker.Authenticator, this, broker.Options.FailedAuthenticationDelay) : null;
        transport.Features.Get<IConnectionHeartbeatFeature>()?.OnHeartbeat(static state => ((Connection)state).Beat(), this);
    }

    public Listener Listener { get; }

    /// <summary>What all connections share.</summary>
    public Broker Broker => _broker;

    /// <summary>The client's address, <c>127.0.0.1</c>.</summary>
    public string Host { get; }

    /// <summary>The client's address in the form Kafka tells it, <c>/127.0.0.1</c>.</summary>
    public string ClientHost => "/" + Host;

    /// <summary>Who the client is; changes once, when it has authenticated, and stays the same when it does so again.</summary>
    public Principal Principal => Sasl is null ? _certified ?? Principal.Anonymous : Sasl.Principal ?? Principal.Anonymous;

    /// <summary>The client's address, or none where the transport has no such thing.</summary>
    public IPAddress Address { get; }

    public EndPoint? RemoteEndPoint => _transport.RemoteEndPoint;

    /// <summary>How far the client has got with authentication; null where the listener does not ask for it.</summary>
    public SaslSession? Sasl { get; }

    /// <summary>How long it has been there.</summary>
    public TimeSpan Age => _broker.Time.GetElapsedTime(_began);

    /// <summary>Whether the client has shown that it is one: authenticated, or asked for anything where it need not.</summary>
    public bool IsEstablished => Sasl is null ? _patience.Asked : !IsUnknown;

    /// <summary>Cancelled when either side ends the connection.</summary>
    public CancellationToken Closed => _closed.Token;

    /// <summary>Serves the client until it leaves, misbehaves, or the broker stops.</summary>
    public async Task RunAsync()
    {
        if (!_broker.TryEnter(this)) return;
        try
        {
            await using var tls = Listener.Tls is { } endpoint ? await endpoint.AcceptAsync(_transport, _closed.Token) : null;
            _certified = tls?.Principal;
            await ServeAsync();
        }
        catch (Exception end) when (IsExpected(end) || end is IOException)
        {
            Note(end);
        }
        finally
        {
            await _closed.CancelAsync();
            _broker.Leave(this);
        }
    }

    async Task ServeAsync()
    {
        var writing = WriteAsync();
        try
        {
            await ReadAsync(_transport.Transport.Input);
        }
        catch (Exception end) when (IsExpected(end) || end is IOException)
        {
            Note(end); // before the client learns of it
        }
        finally
        {
            _answers.Writer.Complete();
            await _closed.CancelAsync();
            await writing;
        }
    }

    /// <summary>The answer now worked on is the last; for requests that do not overlap.</summary>
    public void EndAfterAnswer() => _ends = true;

    /// <summary>Ends the connection at once.</summary>
    public void Abort(string reason)
    {
        Log.Gone(_broker.Logger, _transport.RemoteEndPoint, reason);
        _transport.Abort(new ConnectionAbortedException(reason));
    }

    public ValueTask DisposeAsync()
    {
        _closed.Dispose();
        _done.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>Starts the request in the frame; its answer, or the lack of one, is from then on the writing side's.</summary>
    async ValueTask<bool> StartAsync(byte[] frame, int length)
    {
        if (Sasl?.State == SaslState.BareToken)
        {
            lock (_lock)
            {
                _unanswered++;
                _held += length;
            }
            await _answers.Writer.WriteAsync(new(Sasl.BareAsync(frame.AsMemory(0, length)), frame, length, ApiKey.SaslAuthenticate, _broker.Time.GetTimestamp(), null), CancellationToken.None);
            return true;
        }
        var (api, header, body) = Parse(frame.AsMemory(0, length));
        _broker.Metrics.Received(header.Key, length);
        if (!(api.Overlaps && _earlierOverlap)) await DrainedAsync();
        _earlierOverlap = api.Overlaps;
        Sasl?.Check(header.Key); // after the answers to all before, which may have changed what is allowed
        var context = new RequestContext(header, length, this);
        await context.ClaimAsync(_done.Token);
        lock (_lock)
        {
            _unanswered++;
            _held += length;
        }
        var started = _broker.Time.GetTimestamp();
        var answer = Answer(api, context, body);
        // Not cancellable: the frame's memory is in use until the answer is there, so the writing side must get to see it.
        await _answers.Writer.WriteAsync(new(answer, frame, length, header.Key, started, context), CancellationToken.None);
        return true;
    }

    /// <summary>Waits until the unanswered requests leave room for one more; one alone may have any size.</summary>
    async ValueTask RoomAsync(int length)
    {
        while (true)
        {
            TaskCompletionSource room;
            lock (_lock)
            {
                if (_held == 0 || _held + length <= MostHeld) return;
                room = _room = new(TaskCreationOptions.RunContinuationsAsynchronously);
            }
            await room.Task; // not cancellable, as below
        }
    }

    /// <summary>Waits until all requests so far are answered.</summary>
    async ValueTask DrainedAsync()
    {
        TaskCompletionSource drained;
        lock (_lock)
        {
            if (_unanswered == 0) return;
            drained = _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        await drained.Task; // not cancellable: the writing side gets through all of them, whatever happens to the client
    }

    void Answered(int length)
    {
        lock (_lock)
        {
            _held -= length;
            _room?.TrySetResult();
            if (--_unanswered == 0) _drained?.TrySetResult();
        }
    }

    /// <summary>Turns also what is thrown before the first await into a failed task, since the answer has its place in the order.</summary>
    async Task<KafkaWriter?> Answer(Api api, RequestContext context, ReadOnlyMemory<byte> body)
    {
        var writer = await api.AnswerAsync(context, body);
        _broker.FetchMemory.Hold(writer?.Buffered ?? 0);
        return writer;
    }

    (Api Api, RequestHeader Header, ReadOnlyMemory<byte> Body) Parse(ReadOnlyMemory<byte> frame)
    {
        var reader = new KafkaReader(frame);
        var header = RequestHeader.ReadStart(ref reader);
        if (_broker.Apis.Find(header.Key) is not { } api)
            throw new ProtocolException($"It asks for API {(short)header.Key} version {header.Version}, which this broker does not have.");
        if (header.Version < api.Min || header.Version > api.Max)
        {
            if (header.Key != ApiKey.ApiVersions)
                throw new ProtocolException($"It asks for {header.Key} version {header.Version}; this broker has {api.Min} to {api.Max}.");
            return (api, header, default); // answered with error 35 in version 0's layout, whatever follows
        }
        header = header.ReadRest(ref reader, header.Version >= api.FlexibleFrom);
        return (api, header, frame[reader.Position..]);
    }

    async Task WriteAsync()
    {
        var output = _transport.Transport.Output;
        var broken = false;
        await foreach (var pending in _answers.Reader.ReadAllAsync(CancellationToken.None))
        {
            long buffered = 0;
            try
            {
                using var writer = await pending.Answer;
                buffered = pending.Context is null ? 0 : writer?.Buffered ?? 0;
                if (writer is not null && !broken)
                {
                    _broker.Metrics.Answered(pending.Key, writer.Length, _broker.Time.GetElapsedTime(pending.Started));
                    broken = !await SendAsync(output, writer, flush: !(_answers.Reader.TryPeek(out var next) && next.Answer.IsCompleted));
                }
                broken |= _ends;
            }
            catch (Exception end) when (IsExpected(end))
            {
                broken = true;
                Note(end);
            }
#pragma warning disable CA1031 // the edge of the process towards a client: whatever a request ran into ends its connection only
            catch (Exception failure)
#pragma warning restore CA1031
            {
                broken = true;
                _broker.Metrics.Failed("internal");
                if (_broker.Throttle.Allows("failure " + pending.Key, out _)) Log.Failed(_broker.Logger, pending.Key, _transport.RemoteEndPoint, failure);
            }
            finally
            {
                _broker.FetchMemory.Release(buffered);
                Return(pending.Frame, pending.Length);
                pending.Context?.Release();
                _patience.Sent();
                Answered(pending.Length);
            }
            if (!broken) continue; // else the rest of the answers is awaited, not sent
            await _closed.CancelAsync();
            await _done.CancelAsync();
        }
        await output.CompleteAsync();
    }

    /// <summary>False when the client is gone. Not cancellable: a transport that ends lets go of who writes to it, and an end of reading is none of writing.</summary>
    async ValueTask<bool> SendAsync(PipeWriter output, KafkaWriter writer, bool flush)
    {
        _patience.SendStarts();
        if (writer.Length <= Chunk)
        {
            writer.CopyTo(output);
            if (!flush && output.UnflushedBytes < Chunk) return true;
            return !(await output.FlushAsync(CancellationToken.None)).IsCompleted;
        }
        foreach (var segment in writer.Segments())
        {
            for (var at = 0; at < segment.Length; at += Chunk)
            {
                var part = segment.Slice(at, Math.Min(Chunk, segment.Length - at));
                if ((await output.WriteAsync(part, CancellationToken.None)).IsCompleted) return false;
                _patience.SendStarts();
            }
        }
        return true;
    }

    void Return(byte[] frame, int length)
    {
        ArrayPool<byte>.Shared.Return(frame);
        _broker.Budget.Release(length);
    }

    /// <summary>Once a second, on Kestrel's heartbeat thread.</summary>
    void Beat()
    {
        var reason = _patience.Ends(Volatile.Read(ref _unanswered) > 0, _broker.Budget.Contended || _broker.Contents.Contended, _broker.FetchMemory.Full)
            ?? (IsUnknown && Age > _broker.Options.FrameTimeout ? "It has not authenticated." : null);
        if (reason is not null) Abort(reason);
    }

    /// <summary>A client that misbehaves or is gone; anything else is a fault of ours.</summary>
    static bool IsExpected(Exception end) => end is ProtocolException or OperationCanceledException or ConnectionResetException or ConnectionAbortedException;

    void Note(Exception end)
    {
        if (end is not ProtocolException problem)
        {
            Log.Gone(_broker.Logger, _transport.RemoteEndPoint, end.Message);
            return;
        }
        _broker.Metrics.Failed("protocol");
        // By host, not by text: garbage reads as another problem each time.
        if (_broker.Throttle.Allows(ClientHost, out var withheld)) Log.Refused(_broker.Logger, _transport.RemoteEndPoint, Listener.Name, problem.Message, withheld);
    }

    sealed record Pending(Task<KafkaWriter?> Answer, byte[] Frame, int Length, ApiKey Key, long Started, RequestContext? Context);

    static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Kafka client {Client} on listener {Listener} was disconnected. {Problem} ({Withheld} more of this host since the last such line.)")]
        public static partial void Refused(ILogger logger, EndPoint? client, string listener, string problem, int withheld);

        [LoggerMessage(LogLevel.Error, "{Api} request of Kafka client {Client} failed; it was disconnected.")]
        public static partial void Failed(ILogger logger, ApiKey api, EndPoint? client, Exception failure);

        [LoggerMessage(LogLevel.Debug, "Kafka client {Client} is gone: {Reason}")]
        public static partial void Gone(ILogger logger, EndPoint? client, string reason);
    }
}
