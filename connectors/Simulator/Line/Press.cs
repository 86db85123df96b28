namespace IotGateway.Connectors.Simulator.Line;

/// <summary>
/// One press: its speed follows a setpoint, strokes heat it, a guard is opened now and then and stops it, heat beyond a limit
/// raises an alarm. The same seed and the same writes make the same run. Not thread-safe; <see cref="PressLine"/> holds the lock.
/// </summary>
internal sealed class Press(int number, int seed)
{
    const double Ambient = 22, LimitTemperature = 68;

    readonly Random _random = new(unchecked(seed * 397 + number));
    double _phase;
    int _guardSteps;
    PressAlarms _logged;

    /// <summary>Speed asked for, strokes per minute.</summary>
    public double Setpoint { get; set; } = 60;

    /// <summary>Speed the drive has been told so far: follows the setpoint within about a second.</summary>
    public double SetpointActual { get; private set; } = 60;

    /// <summary>Whether it may run at all.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>Strokes per minute.</summary>
    public double Speed { get; private set; }

    /// <summary>Die temperature, °C.</summary>
    public double Temperature { get; private set; } = Ambient;

    /// <summary>Hydraulic pressure, bar.</summary>
    public double Pressure { get; private set; } = 4;

    /// <summary>Strokes since the start.</summary>
    public uint Strokes { get; private set; }

    /// <summary>What it is doing.</summary>
    public PressMode Mode { get; private set; } = PressMode.Setup;

    /// <summary>What is wrong.</summary>
    public PressAlarms Alarms { get; private set; }

    /// <summary>Whether the guard is closed.</summary>
    public bool GuardClosed => _guardSteps == 0;

    /// <summary>Lets <paramref name="seconds"/> pass; log entries go to <paramref name="log"/>.</summary>
    public void Advance(double seconds, List<string> log)
    {
        SetpointActual += (Setpoint - SetpointActual) * (1 - Math.Exp(-seconds / 0.25));
        if (Math.Abs(Setpoint - SetpointActual) < 0.02) SetpointActual = Setpoint;
        MoveGuard(log);
        var target = Enabled && GuardClosed ? SetpointActual : 0;
        Speed += (target - Speed) * (1 - Math.Exp(-seconds / 0.8));
        if (Speed < 0.05 && target == 0) Speed = 0;
        Temperature += (Ambient + 0.6 * Speed - Temperature) * (1 - Math.Exp(-seconds / 45)) + Noise(0.02);
        Stroke(seconds, log);
        Pressure = Speed == 0 ? 4 + Noise(0.05) : 140 + 60 * Math.Max(0, Math.Sin(_phase * 2 * Math.PI)) + Noise(0.8);
        Judge(log);
    }

    void MoveGuard(List<string> log)
    {
        if (_guardSteps > 0)
        {
            if (--_guardSteps == 0) log.Add($"INFO press{number} guard closed");
        }
        else if (_random.Next(3000) == 0)
        {
            _guardSteps = 20 + _random.Next(60);
            log.Add($"WARN press{number} guard opened at stroke {Strokes}");
        }
    }

    void Stroke(double seconds, List<string> log)
    {
        _phase += Speed / 60 * seconds;
        while (_phase >= 1)
        {
            _phase--;
            Strokes++;
            log.Add(FormattableString.Invariant($"INFO press{number} stroke {Strokes} force {780 + Noise(15):F1} kN temperature {Temperature:F1}"));
        }
    }

    void Judge(List<string> log)
    {
        Alarms = (Temperature > LimitTemperature ? PressAlarms.Overtemperature : 0)
            | (Speed > 1 && Pressure < 120 ? PressAlarms.LowPressure : 0)
            | (GuardClosed ? 0 : PressAlarms.GuardOpen);
        Mode = !GuardClosed ? PressMode.Fault : !Enabled ? PressMode.Stopped : Speed == 0 ? PressMode.Idle : Math.Abs(Speed - SetpointActual) > 5 ? PressMode.Setup : PressMode.Running;
        if ((Alarms & PressAlarms.Overtemperature) != (_logged & PressAlarms.Overtemperature))
            log.Add(FormattableString.Invariant($"{((Alarms & PressAlarms.Overtemperature) != 0 ? "ERROR" : "INFO")} press{number} temperature {Temperature:F1} limit {LimitTemperature:F1}"));
        _logged = Alarms;
    }

    double Noise(double amplitude) => (_random.NextDouble() - 0.5) * 2 * amplitude;
}

/// <summary>What a press is doing.</summary>
internal enum PressMode : ushort
{
    /// <summary>Switched off.</summary>
    Stopped,
    /// <summary>Changing its speed.</summary>
    Setup,
    /// <summary>Ready, not moving.</summary>
    Idle,
    /// <summary>Producing.</summary>
    Running,
    /// <summary>Stopped by a fault.</summary>
    Fault,
}

/// <summary>What is wrong with a press.</summary>
[Flags]
internal enum PressAlarms : ushort
{
    /// <summary>Bit 0.</summary>
    Overtemperature = 1,
    /// <summary>Bit 1.</summary>
    LowPressure = 2,
    /// <summary>Bit 2.</summary>
    GuardOpen = 4,
}
