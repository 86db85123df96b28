using System.Collections;
using IotGateway.Sdk.Data;

namespace IotGateway.Connectors.Files.Tail;

/// <summary>
/// The headers of one line without an array of its own: <c>file.name</c>, <c>file.offset</c>, and for a line in pieces <c>file.part</c> (from 0)
/// with <c>file.more</c> (another piece follows) or <c>file.partial</c> (written before its line end was there). Immutable.
/// </summary>
sealed class LineHeaders(ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> offset, ReadOnlyMemory<byte>? part, Piece piece) : IReadOnlyList<Header>
{
    static readonly byte[] True = "true"u8.ToArray();

    public int Count => 2 + (part is null ? 0 : 1) + (piece == Piece.Whole ? 0 : 1);

    public Header this[int index] => index switch
    {
        0 => new("file.name", name),
        1 => new("file.offset", offset),
        2 when part is not null => new("file.part", part),
        _ when index == Count - 1 => new(piece == Piece.More ? "file.more" : "file.partial", True),
        _ => throw new ArgumentOutOfRangeException(nameof(index)),
    };

    public IEnumerator<Header> GetEnumerator()
    {
        for (var i = 0; i < Count; i++) yield return this[i];
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}

/// <summary>What a record holds of its line.</summary>
enum Piece
{
    /// <summary>The line, or its last piece.</summary>
    Whole,

    /// <summary>A piece of an overlong line; more follow.</summary>
    More,

    /// <summary>A last line that has no line end.</summary>
    Partial,
}
