using System.Globalization;
using System.Text.Json.Nodes;

namespace IotGateway.Host.Bench.AgainstKafka;

/// <summary>
/// Two programs measured in turns: Kafka, gateway, gateway, Kafka in each round, after three that warm up and count for nothing. Each
/// half of a round is a pair; the two runs of one program in a round are the control: where they differ by more than 3 % in the median, the
/// machine is not quiet enough to say anything.
/// </summary>
sealed class Pairs
{
    const double Tolerance = 0.03;
    const int WarmUps = 3; // both programs compile while they run
    readonly List<Sample> _ours = [], _theirs = [];

    /// <summary>Runs them.</summary>
    public static async Task<Pairs> MeasureAsync(int rounds, Func<CancellationToken, Task<Sample>> ours, Func<CancellationToken, Task<Sample>> theirs, CancellationToken ct)
    {
        var pairs = new Pairs();
        for (var i = 0; i < WarmUps; i++)
        {
            await theirs(ct).ConfigureAwait(false);
            await ours(ct).ConfigureAwait(false);
        }
        for (var round = 0; round < rounds; round++)
        {
            pairs._theirs.Add(await theirs(ct).ConfigureAwait(false));
            pairs._ours.Add(await ours(ct).ConfigureAwait(false));
            pairs._ours.Add(await ours(ct).ConfigureAwait(false));
            pairs._theirs.Add(await theirs(ct).ConfigureAwait(false));
        }
        return pairs;
    }

    /// <summary>Gateway's rate by Kafka's.</summary>
    public Ratios Rate => Of(s => s.Rate);

    /// <summary>The same per core of the server's processor time.</summary>
    public Ratios PerCore => Of(s => s.PerCore);

    /// <summary>What to tell; the target is for the rate and, where it is asked for, for the rate per core, too.</summary>
    public JsonObject Report(double target, double towards, bool perCore)
    {
        var figures = new JsonObject
        {
            ["gateway, records/s, median"] = Rounded(_ours, s => s.Rate),
            ["Kafka, records/s, median"] = Rounded(_theirs, s => s.Rate),
            ["rate, gateway by Kafka"] = Rate.ToString(),
            ["gateway, processor us/record, median"] = Micros(_ours),
            ["Kafka, processor us/record, median"] = Micros(_theirs),
            ["rate per core, gateway by Kafka"] = PerCore.ToString(),
        };
        Judge("rate", Rate, s => s.Rate);
        if (perCore) Judge("per core", PerCore, s => s.PerCore);
        return figures;

        void Judge(string what, Ratios ratios, Func<Sample, double> value)
        {
            var (ours, theirs) = (Control(_ours, value), Control(_theirs, value));
            figures[$"A against A, {what}"] = string.Create(CultureInfo.InvariantCulture, $"gateway {ours:0.000}, Kafka {theirs:0.000}");
            figures[string.Create(CultureInfo.InvariantCulture, $"target {target:0.##}, towards {towards:0.##}, {what}")] = Verdict(ratios, target, Math.Max(Math.Abs(ours - 1), Math.Abs(theirs - 1)));
        }
    }

    static string Verdict(Ratios ratios, double target, double noise)
        => noise <= Tolerance ? Say(ratios, target)
            : string.Create(CultureInfo.InvariantCulture, $"inconclusive: A against A differs by {100 * noise:0} % (by the bounds alone: {Say(ratios, target)})");

    /// <summary>Whether a target is met, by the bounds.</summary>
    public static string Say(Ratios ratios, double target)
        => !ratios.IsEnough ? "too few pairs to say" : ratios.Low >= target ? "met" : ratios.High < target ? "missed" : "undecided: the target lies within the spread";

    /// <summary>The same of something that is to be small.</summary>
    public static string SayAtMost(Ratios ratios, double target)
        => !ratios.IsEnough ? "too few pairs to say" : ratios.High <= target ? "met" : ratios.Low > target ? "missed" : "undecided: the target lies within the spread";

    Ratios Of(Func<Sample, double> value) => new(_ours.Zip(_theirs, (a, b) => value(a) / value(b)));

    static double Control(List<Sample> samples, Func<Sample, double> value) => new Ratios(samples.Chunk(2).Select(two => value(two[0]) / value(two[1]))).Median;

    static double Rounded(List<Sample> samples, Func<Sample, double> value) => Math.Round(new Ratios(samples.Select(value)).Median);

    static double Micros(List<Sample> samples) => Math.Round(new Ratios(samples.Select(s => s.Cpu.TotalMicroseconds / s.Records)).Median, 3);
}
