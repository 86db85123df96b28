using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using IotGateway.Broker.Protocol;
using IotGateway.Broker.Security.Sasl;

namespace IotGateway.Broker.Server;

/// <summary>
/// The reading side: frames, their caps and their memory. Runs on one task; what a client may send before it is known is decided frame by frame,
/// after the answers to all before.
/// </summary>
internal sealed partial class Connection
{
    async Task ReadAsync(PipeReader input)
    {
        while (true)
        {
            if (IsUnknown) await DrainedAsync(); // until it is known, what a client may send depends on what it was answered
            if (await ReadLengthAsync(input) is not { } length) return;
            if (IsUnknown && !await ArrivedAsync(input, length)) return;
            await RoomAsync(length);
            await _broker.Budget.ClaimAsync(length, _done.Token);
            var frame = ArrayPool<byte>.Shared.Rent(length);
            var accepted = false;
            try
            {
                _patience.FrameStarts(length);
                if (!await FillAsync(input, frame.AsMemory(0, length))) return;
                _patience.FrameEnds();
                accepted = await StartAsync(frame, length);
            }
            finally
            {
                if (!accepted) Return(frame, length);
            }
        }
    }

    /// <summary>The next frame's length; null at the end of the stream.</summary>
    async ValueTask<int?> ReadLengthAsync(PipeReader input)
    {
        while (true)
        {
            var result = await input.ReadAsync(_done.Token);
            var buffer = result.Buffer;
            if (buffer.Length < 4)
            {
                input.AdvanceTo(buffer.Start, buffer.End);
                if (result.IsCompleted || result.IsCanceled) return null;
                continue;
            }
            Span<byte> prefix = stackalloc byte[4];
            buffer.Slice(0, 4).CopyTo(prefix);
            input.AdvanceTo(buffer.GetPosition(4));
            var length = BinaryPrimitives.ReadInt32BigEndian(prefix);
            var (least, most) = (Sasl?.State == SaslState.BareToken ? 0 : LeastFrame, IsUnknown ? Math.Min(MostBeforeAuthentication, _broker.Options.MaxFrameBytes) : _broker.Options.MaxFrameBytes);
            if (length < least || length > most) throw NotAFrame(prefix, length, most);
            return length;
        }
    }

    /// <summary>Whether the client has still to authenticate for the first time.</summary>
    bool IsUnknown => Sasl is { Principal: null };

    static ProtocolException NotAFrame(ReadOnlySpan<byte> prefix, int length, int cap) => prefix switch
    {
        [0x16, 0x03, ..] => new("It speaks TLS, but this listener is plain. Set the client's security.protocol to PLAINTEXT."),
        [(byte)'G', (byte)'E', (byte)'T', (byte)' '] or [(byte)'P', (byte)'O', (byte)'S', (byte)'T'] => new("It speaks HTTP, but this port speaks Kafka's protocol."),
        _ => new($"A frame of {length} bytes; allowed are {LeastFrame} to {cap}."),
    };

    /// <summary>
    /// Waits until the whole frame of an unknown client is there, so that it claims no more of the memory for requests than it has sent, and that
    /// not for long. False at the end of the stream.
    /// </summary>
    async ValueTask<bool> ArrivedAsync(PipeReader input, int length)
    {
        _patience.FrameStarts(length);
        while (length > 0) // a bare frame may be empty
        {
            var result = await input.ReadAsync(_done.Token);
            var enough = result.Buffer.Length >= length;
            input.AdvanceTo(result.Buffer.Start, enough ? result.Buffer.Start : result.Buffer.End);
            if (enough || result.IsCompleted || result.IsCanceled) return enough;
            _patience.Received();
        }
        return true;
    }

    async ValueTask<bool> FillAsync(PipeReader input, Memory<byte> frame)
    {
        while (frame.Length > 0)
        {
            var result = await input.ReadAsync(_done.Token);
            var buffer = result.Buffer;
            var part = buffer.Slice(0, Math.Min(buffer.Length, frame.Length));
            part.CopyTo(frame.Span);
            frame = frame[(int)part.Length..];
            input.AdvanceTo(part.End);
            _patience.Received();
            if (frame.Length > 0 && (result.IsCompleted || result.IsCanceled)) return false;
        }
        return true;
    }
}
