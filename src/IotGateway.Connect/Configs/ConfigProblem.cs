namespace IotGateway.Connect.Configs;

/// <summary>One thing wrong with the configuration, with the place and what to do.</summary>
/// <param name="File">The file as given to the loader.</param>
/// <param name="Line">Line, from 1; 0 when the whole file is meant.</param>
/// <param name="Column">Column, from 1, in characters; 0 with line 0.</param>
/// <param name="Path">JSON path such as <c>devices[2].tags[0].type</c>; empty for the root.</param>
/// <param name="Message">What is wrong.</param>
/// <param name="Fix">What to do; empty when the message says it.</param>
/// <param name="Severity">An error keeps the configuration from being used.</param>
public sealed record ConfigProblem(string File, int Line, int Column, string Path, string Message, string Fix, Severity Severity = Severity.Error)
{
    /// <summary><c>file:line:column: path: message fix</c>, as compilers write it.</summary>
    public override string ToString()
    {
        var place = Line == 0 ? File : $"{File}:{Line}:{Column}";
        var path = Path.Length == 0 ? "" : Path + ": ";
        var fix = Fix.Length == 0 ? "" : " " + Fix;
        return $"{place}: {(Severity == Severity.Warning ? "warning: " : "")}{path}{Message}{fix}";
    }
}

/// <summary>How bad a <see cref="ConfigProblem"/> is.</summary>
public enum Severity
{
    /// <summary>The configuration cannot be used.</summary>
    Error,

    /// <summary>It can, but someone should look.</summary>
    Warning,
}
