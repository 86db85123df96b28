namespace IotGateway.Testing;

/// <summary>Processes that were sent SIGSTOP.</summary>
public static class Stopped
{
    /// <summary>
    /// Returns when no thread of the process runs any more: where processors are scarce, one of them has to get one before the signal stops the others
    /// (proc_pid_stat(5): state T).
    /// </summary>
    /// <exception cref="TimeoutException">It still runs after 60 s.</exception>
    public static async Task WaitAsync(int pid)
    {
        for (var i = 0; i < 12_000; i++)
        {
            if (Directory.GetDirectories($"/proc/{pid}/task").All(IsStopped)) return;
            await Task.Delay(5);
        }
        throw new TimeoutException($"Process {pid} does not stop.");
    }

    static bool IsStopped(string task)
    {
        try
        {
            var stat = File.ReadAllText(Path.Combine(task, "stat"));
            return stat[stat.LastIndexOf(')') + 2] == 'T';
        }
        catch (IOException)
        {
            return true; // the thread has ended meanwhile
        }
    }
}
