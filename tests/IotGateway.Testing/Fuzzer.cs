using System.Diagnostics;
using System.Globalization;

namespace IotGateway.Testing;

/// <summary>
/// Gives a target random and mutated inputs and fails when it throws what it does not declare, takes longer than a second, or allocates more than
/// max(1 MiB, 16 × input). FUZZ says how many inputs a whole test gives, FUZZ_SEED repeats a run, FUZZ_INPUT=FILE gives the target the file is named
/// after that one input; inputs that fail are saved under such a name. One thread.
/// </summary>
/// <param name="target">Name of what is fuzzed.</param>
/// <param name="seed">Of the whole run.</param>
public sealed class Fuzzer(string target, int seed)
{
    const long Floor = 1 << 20, PerByte = 16, Slack = 64 << 10;
    static readonly TimeSpan Longest = TimeSpan.FromSeconds(1);

    readonly Random _random = new(HashCode(target) ^ seed);

    /// <summary>How many inputs a test shall give to all its targets together.</summary>
    public static long Executions(long otherwise) => long.TryParse(Environment.GetEnvironmentVariable("FUZZ"), NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : otherwise;

    /// <summary>The seed of this run: FUZZ_SEED, or a new one. Tests print it.</summary>
    public static int Seed { get; } = int.TryParse(Environment.GetEnvironmentVariable("FUZZ_SEED"), NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : Random.Shared.Next();

    /// <summary>How many inputs were refused with a declared exception.</summary>
    public long Refused { get; private set; }

    /// <summary>Gives it that many inputs.</summary>
    /// <param name="executions">How many.</param>
    /// <param name="corpus">Valid inputs to start from.</param>
    /// <param name="body">The target; its input may be changed.</param>
    /// <param name="declared">What it may throw.</param>
    /// <param name="repair">Makes checksums and lengths right again, so that half of the mutations get past them; null where there are none.</param>
    /// <param name="thrownAway">Bytes it may allocate besides, because it does not hold them; 0 for most.</param>
    /// <exception cref="InvalidOperationException">It failed; the message says with what and how to repeat it.</exception>
    public void Run(long executions, IReadOnlyList<byte[]> corpus, Action<byte[]> body, Func<Exception, bool> declared, Action<byte[]>? repair = null, long thrownAway = 0)
    {
        if (Environment.GetEnvironmentVariable("FUZZ_INPUT") is { } file)
        {
            if (Path.GetFileName(file).StartsWith(target + "-", StringComparison.Ordinal)) Give(File.ReadAllBytes(file), body, declared, thrownAway, () => file);
            return;
        }
        for (long i = 0; i < executions; i++)
        {
            var input = Next(corpus);
            if (repair is not null && (i & 1) == 0) repair(input);
            var number = i;
            Give(input, body, declared, thrownAway, () => Save(input, number));
        }
    }

    void Give(byte[] input, Action<byte[]> body, Func<Exception, bool> declared, long thrownAway, Func<string> save)
    {
        var most = Math.Max(Floor, PerByte * input.Length) + Slack + thrownAway;
        var kept = input.ToArray(); // for the target may change it
        // What the first time costs for the compiler or the scheduler is not the target's: only a second and third time count.
        for (var attempt = 0; ; attempt++)
        {
            var copy = kept.ToArray();
            var (before, watch) = (GC.GetAllocatedBytesForCurrentThread(), Stopwatch.GetTimestamp());
            try
            {
                body(copy);
            }
            catch (Exception e) when (declared(e))
            {
                if (attempt == 0) Refused++;
            }
            catch (Exception e)
            {
                kept.CopyTo(input, 0);
                throw new InvalidOperationException($"{target}, seed {seed}: it threw what it does not declare. Repeat with FUZZ_INPUT={save()}", e);
            }
            var (allocated, took) = (GC.GetAllocatedBytesForCurrentThread() - before, Stopwatch.GetElapsedTime(watch));
            if (allocated <= most && took <= Longest) return;
            if (attempt < 2) continue;
            kept.CopyTo(input, 0);
            throw new InvalidOperationException($"{target}, seed {seed}: {allocated} bytes allocated and {took} taken for {input.Length} bytes. Repeat with FUZZ_INPUT={save()}");
        }
    }

    /// <summary>The next input, for targets that <see cref="Run"/> cannot call.</summary>
    public byte[] Next(IReadOnlyList<byte[]> corpus)
    {
        if (_random.Next(16) == 0)
        {
            var noise = new byte[_random.Next(_random.Next(2) == 0 ? 32 : 400)];
            _random.NextBytes(noise);
            return noise;
        }
        var input = corpus[_random.Next(corpus.Count)];
        var bytes = input.ToArray();
        for (var n = _random.Next(1, 5); n > 0 && bytes.Length > 0; n--) bytes = Mutate(bytes, corpus);
        return bytes;
    }

    byte[] Mutate(byte[] bytes, IReadOnlyList<byte[]> corpus)
    {
        var at = _random.Next(bytes.Length);
        switch (_random.Next(9))
        {
            case 0: bytes[at] = (byte)_random.Next(256); return bytes;
            case 1: bytes[at] ^= (byte)(1 << _random.Next(8)); return bytes;
            case 2: bytes.AsSpan(at, Math.Min(4, bytes.Length - at)).Fill((byte)(_random.Next(2) == 0 ? 0xff : 0x7f)); return bytes;
            case 3: bytes[at] = (byte)(_random.Next(4) switch { 0 => 0, 1 => 0x7f, 2 => 0x80, _ => 0xff }); return bytes;
            case 4: bytes[at] += (byte)_random.Next(-3, 4); return bytes;
            case 5: return bytes[..at];
            case 6: return [.. bytes[..at], .. bytes.AsSpan(at + Math.Min(_random.Next(1, 9), bytes.Length - at))];
            case 7:
                var some = new byte[_random.Next(1, 9)];
                _random.NextBytes(some);
                return [.. bytes[..at], .. some, .. bytes[at..]];
            default:
                var other = corpus[_random.Next(corpus.Count)];
                if (other.Length == 0) return bytes;
                var from = _random.Next(other.Length);
                return [.. bytes[..at], .. other.AsSpan(from, Math.Min(_random.Next(1, 200), other.Length - from)), .. bytes.AsSpan(Math.Min(bytes.Length, at + _random.Next(200)))];
        }
    }

    string Save(byte[] input, long number)
    {
        var path = Path.Combine(Directory.CreateTempSubdirectory("fuzz-").FullName, string.Create(CultureInfo.InvariantCulture, $"{target}-{seed}-{number}.bin"));
        File.WriteAllBytes(path, input);
        return path;
    }

    // Of strings it is another in every process otherwise.
    static int HashCode(string text) => text.Aggregate(17, (hash, c) => unchecked(hash * 31 + c));
}
