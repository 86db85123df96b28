using System.Buffers;
using System.Buffers.Text;
using System.Text.Json;
using IotGateway.Connectors.Files.Config;
using IotGateway.Sdk;
using IotGateway.Sdk.Data;

namespace IotGateway.Connectors.Files.Tail;

/// <summary>
/// A batch in the making: lines of any number of files, their positions and gaps. Files read straight into <see cref="Free"/>, and raw
/// records are slices of it, so a line is copied once, by the kernel. The memory goes back to <see cref="LineBatchPool"/> when the batch is
/// durable, and to the garbage collector when that never happens. One owner: the source's loop.
/// </summary>
sealed class LineBatch(FilesConfig config, TimeProvider time, LineBatchPool pool)
{
    byte[] _buffer = new byte[LineBatchPool.BufferBytes];
    byte[] _digits = new byte[4096];
    int _used, _digitsUsed;
    readonly ArrayBufferWriter<byte> _json = new();
    readonly HashSet<TailedFile> _touched = [];
    List<Record> _records = [];
    List<Gap> _gaps = [];
    List<StateChange> _state = [];

    /// <summary>Whether it holds anything worth appending.</summary>
    public bool IsEmpty => _records.Count == 0 && _gaps.Count == 0 && _state.Count == 0 && _touched.Count == 0;

    /// <summary>Whether no further line fits.</summary>
    public bool LinesFull => _records.Count >= config.BatchLines;

    /// <summary>Room for file content.</summary>
    public Memory<byte> Free => _buffer.AsMemory(_used);

    /// <summary>Makes room for at least <paramref name="size"/> bytes if nothing is in the buffer yet; else false: hand the batch on first.</summary>
    public bool TryGrow(int size)
    {
        if (_used > 0) return false;
        if (_buffer.Length < size) _buffer = new byte[size];
        return true;
    }

    /// <summary>The first <paramref name="bytes"/> of <see cref="Free"/> now belong to records.</summary>
    public void Take(int bytes) => _used += bytes;

    /// <summary>The file's position is to be kept with this batch.</summary>
    public void Touch(TailedFile file) => _touched.Add(file);

    public void Add(Gap gap) => _gaps.Add(gap);

    public void Add(StateChange change) => _state.Add(change);

    /// <summary>Adds a line; <paramref name="line"/> must be a slice of <see cref="Free"/>.</summary>
    public void Add(TailedFile file, ReadOnlyMemory<byte> line, long offset, int part, Piece piece)
    {
        var inPieces = part > 0 || piece == Piece.More;
        _records.Add(new Record
        {
            Topic = file.Topic,
            Key = file.Key,
            Value = config.Format == LineFormat.Raw ? line : Json(file, line.Span, offset),
            Headers = config.Headers ? new LineHeaders(file.NameHeader, Digits(offset), inPieces ? Digits(part) : (ReadOnlyMemory<byte>?)null, piece) : [],
        });
    }

    /// <summary>The finished batch. This object must not be used afterwards.</summary>
    public SourceBatch Build()
    {
        foreach (var file in _touched)
            if (!file.Forgotten)
                _state.Add(file.Position(null).Save());
        return new SourceBatch { Records = _records, Gaps = _gaps, State = _state, OnDurable = Return };
    }

    ValueTask Return(CancellationToken ct)
    {
        (_records, _gaps, _state) = ([], [], []);
        _touched.Clear();
        _json.ResetWrittenCount();
        _used = _digitsUsed = 0;
        if (_buffer.Length == LineBatchPool.BufferBytes) pool.Return(this);
        return default;
    }

    ReadOnlyMemory<byte> Digits(long number)
    {
        // A full block is left to the records that point into it.
        if (_digits.Length - _digitsUsed < 20) (_digits, _digitsUsed) = (new byte[_digits.Length * 2], 0);
        Utf8Formatter.TryFormat(number, _digits.AsSpan(_digitsUsed), out var length);
        var digits = _digits.AsMemory(_digitsUsed, length);
        _digitsUsed += length;
        return digits;
    }

    ReadOnlyMemory<byte> Json(TailedFile file, ReadOnlySpan<byte> line, long offset)
    {
        var start = _json.WrittenCount;
        using (var json = new Utf8JsonWriter(_json, new JsonWriterOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true }))
        {
            json.WriteStartObject();
            json.WriteString("file"u8, file.Name);
            json.WriteNumber("offset"u8, offset);
            json.WriteString("time"u8, time.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", System.Globalization.CultureInfo.InvariantCulture));
            json.WriteString("line"u8, line);
            json.WriteEndObject();
        }
        return _json.WrittenMemory[start..];
    }
}
