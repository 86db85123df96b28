using System.Text;
using IotGateway.Connect.Configs.Binding;

namespace IotGateway.Connect.Configs;

/// <summary>A cell with the place it begins at.</summary>
internal sealed record CsvCell(string Text, int Line, int Column);

/// <summary>
/// Reads CSV (RFC 4180): quotes, doubled quotes inside them, line breaks inside them. The separator is the first of comma,
/// semicolon and tab that the first line holds outside quotes, because spreadsheets of other countries write other ones. Blank lines are skipped.
/// </summary>
internal sealed class Csv
{
    readonly string _text;
    readonly char _separator;
    int _at, _line = 1, _lineStart;

    Csv(string text) => (_text, _separator) = (text, FindSeparator(text));

    public static List<IReadOnlyList<CsvCell>> Read(string file, string text, Report report)
    {
        var reader = new Csv(text);
        var rows = new List<IReadOnlyList<CsvCell>>();
        while (reader._at < text.Length)
        {
            var row = reader.ReadRow(file, report);
            if (row.Count > 1 || row[0].Text.Length > 0) rows.Add(row);
        }
        return rows;
    }

    static char FindSeparator(string text)
    {
        var quoted = false;
        foreach (var c in text)
        {
            if (c == '"') quoted = !quoted;
            else if (quoted) continue;
            else if (c is ',' or ';' or '\t') return c;
            else if (c == '\n') break;
        }
        return ',';
    }

    List<CsvCell> ReadRow(string file, Report report)
    {
        var row = new List<CsvCell>();
        while (true)
        {
            row.Add(ReadCell(file, report));
            var end = _at < _text.Length ? _text[_at++] : '\n';
            if (end != '\n') continue;
            (_line, _lineStart) = (_line + 1, _at);
            return row;
        }
    }

    // Ends before the separator, the line feed, or at the end.
    CsvCell ReadCell(string file, Report report)
    {
        var (line, column) = (_line, _at - _lineStart + 1);
        if (_at >= _text.Length || _text[_at] != '"') return new(Plain(), line, column);
        var cell = new StringBuilder();
        _at++;
        for (; _at < _text.Length; _at++)
        {
            if (_text[_at] == '"' && ++_at is var next && (next >= _text.Length || _text[next] != '"'))
            {
                cell.Append(Plain());
                return new(cell.ToString(), line, column);
            }
            cell.Append(_text[_at]);
            if (_text[_at] == '\n') (_line, _lineStart) = (_line + 1, _at + 1);
        }
        report.Problems.Add(new(file, line, column, "", "A quote is opened and never closed.", "Close it; a quote inside quotes is written twice."));
        return new(cell.ToString(), line, column);
    }

    string Plain()
    {
        var start = _at;
        while (_at < _text.Length && _text[_at] != _separator && _text[_at] != '\n') _at++;
        return _text[start.._at].Trim();
    }
}
