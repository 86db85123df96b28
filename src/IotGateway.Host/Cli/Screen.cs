using Spectre.Console;

namespace IotGateway.Host.Cli;

/// <summary>Standard output for people: a terminal gets its width and emphasis, a file or pipe whole lines of plain text.</summary>
static class Screen
{
    const int WideEnough = 4096;

    public static IAnsiConsole Out { get; } = Make();

    static IAnsiConsole Make()
    {
        var screen = AnsiConsole.Console;
        if (!Console.IsOutputRedirected) return screen;
        screen.Profile.Width = WideEnough;
        screen.Profile.Capabilities.Ansi = false;
        return screen;
    }
}
