using System.Globalization;
using System.Numerics;

namespace IotGateway.Host.Bench.AgainstKafka;

/// <summary>
/// Ratios of pairs measured next to each other. The bounds are order statistics (those of the sign test), so they suppose nothing of how the
/// values are distributed: of n values, the k-th smallest is below the true median with a probability of at least 95 %. Fewer than five
/// values bound nothing at that level; then the least value stands, and <see cref="IsEnough"/> says so.
/// </summary>
sealed class Ratios(IEnumerable<double> values)
{
    const double Doubt = 0.05;
    const int Fewest = 5;
    readonly double[] _values = [.. values.Order()];

    /// <summary>How many pairs.</summary>
    public int Count => _values.Length;

    /// <summary>Whether the bounds have 95 %.</summary>
    public bool IsEnough => _values.Length >= Fewest;

    /// <summary>Middle of the values.</summary>
    public double Median => _values.Length % 2 == 1 ? _values[_values.Length / 2] : (_values[(_values.Length / 2) - 1] + _values[_values.Length / 2]) / 2;

    /// <summary>Lower 95 % bound of the median.</summary>
    public double Low => _values[Rank(_values.Length)];

    /// <summary>Upper 95 % bound of the median.</summary>
    public double High => _values[^(1 + Rank(_values.Length))];

    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Median:0.00} (at least {Low:0.00}{(IsEnough ? "" : ", too few pairs for 95 %")}; {_values[0]:0.00} … {_values[^1]:0.00} of {Count})");

    /// <summary>The same of something that is to be small.</summary>
    public string AtMost() => string.Create(CultureInfo.InvariantCulture,
        $"{Median:0.000} (at most {High:0.000}{(IsEnough ? "" : ", too few pairs for 95 %")}; {_values[0]:0.000} … {_values[^1]:0.000} of {Count})");

    // The greatest k such that fewer than k + 1 of n fair coins show heads with a probability of at most 5 %.
    static int Rank(int n)
    {
        var (ways, sum, k) = (BigInteger.One, BigInteger.Zero, 0);
        for (; k < n; k++)
        {
            sum += ways;
            if ((double)sum / Math.Pow(2, n) > Doubt) break;
            ways = ways * (n - k) / (k + 1);
        }
        return Math.Max(0, k - 1);
    }
}
