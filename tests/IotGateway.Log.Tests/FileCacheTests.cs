using IotGateway.Log.Disk;
using IotGateway.Log.Tests.Disk;

namespace IotGateway.Log.Tests;

/// <summary>The files that are open: who waits for whom when the disk is slow, and what is closed when.</summary>
public sealed class FileCacheTests : IDisposable
{
    const string A = "/data/a", B = "/data/b", C = "/data/c";
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    readonly SimulatedDisk _simulated = new();
    readonly HeldOpens _disk;
    readonly FileCache _files;

    public FileCacheTests()
    {
        _simulated.CreateDirectory("/data");
        _disk = new(_simulated);
        _files = new(_disk, 2);
    }

    public void Dispose()
    {
        _disk.Release();
        _files.Dispose();
        Assert.Equal(0, _disk.Unclosed());
        _disk.Dispose();
    }

    [Fact]
    public async Task A_file_that_takes_long_to_open_holds_up_nobody_who_wants_another()
    {
        _simulated.Open(A, create: true).Dispose();
        var inUse = _files.Rent(B, create: true);
        _disk.Hold(A);
        var slow = Waiter.Rent(_files, A, create: false);
        await _disk.Opening.WaitAsync(Patience);
        try
        {
            await Task.Run(() => Make(B), default).WaitAsync(Patience);
            await Task.Run(() => Make(C), default).WaitAsync(Patience);
            await Task.Run(inUse.Dispose, default).WaitAsync(Patience);
            await Task.Run(() => _files.Forget(C), default).WaitAsync(Patience);
            Assert.False(slow.Lease.IsCompleted);
        }
        finally
        {
            _disk.Release();
        }
        (await slow.Lease.WaitAsync(Patience)).Dispose();
        Assert.Equal((1, 1, 1), (_disk.Opened(A), _disk.Opened(B), _disk.Opened(C)));
    }

    [Theory, InlineData(false, false), InlineData(true, false), InlineData(false, true)]
    public async Task Who_comes_while_a_file_is_being_opened_gets_the_same(bool first, bool second)
    {
        if (!first) _simulated.Open(A, create: true).Dispose();
        var (one, two) = await BothAsync(first, second);
        _disk.Release();
        using var lease = await one.Lease.WaitAsync(Patience);
        using (var other = await two.Lease.WaitAsync(Patience)) Assert.Same(lease.File, other.File);
        Assert.Equal((1, 1), (_disk.Opened(A), _disk.Unclosed(A)));
        Assert.Equal(0, lease.File.Length);
    }

    [Fact]
    public async Task An_open_that_fails_fails_for_all_who_wait_and_leaves_nothing_behind()
    {
        var (one, two) = await BothAsync(false, false);
        _disk.Release();
        Assert.Equal(2, (await Assert.ThrowsAsync<DiskException>(() => one.Lease.WaitAsync(Patience))).Errno);
        Assert.Equal(2, (await Assert.ThrowsAsync<DiskException>(() => two.Lease.WaitAsync(Patience))).Errno);
        Assert.Equal(1, _disk.Opened(A));

        Make(A);
        Assert.Throws<DiskException>(() => _files.Rent(B, create: false));
        Make(A);
        Assert.Equal((2, 1), (_disk.Opened(A), _disk.Unclosed()));
    }

    [Fact]
    public async Task A_file_that_a_reader_does_not_find_is_made_by_the_writer_who_waited()
    {
        var (reader, writer) = await BothAsync(false, true);
        _disk.Release();
        Assert.Equal(2, (await Assert.ThrowsAsync<DiskException>(() => reader.Lease.WaitAsync(Patience))).Errno);
        (await writer.Lease.WaitAsync(Patience)).Dispose();
        Make(A);
        Assert.Equal((2, 1), (_disk.Opened(A), _disk.Unclosed(A)));
    }

    [Fact]
    public async Task A_reader_sees_that_there_is_no_file_and_not_why_a_writer_could_not_make_it()
    {
        var (writer, reader) = await BothAsync(true, false);
        FailOnce(DiskException.Enospc);
        _disk.Release();
        Assert.True((await Assert.ThrowsAsync<DiskException>(() => writer.Lease.WaitAsync(Patience))).IsFull);
        Assert.Equal(2, (await Assert.ThrowsAsync<DiskException>(() => reader.Lease.WaitAsync(Patience))).Errno);
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task A_file_forgotten_while_it_is_being_opened_is_closed_when_given_back_and_opened_anew(bool all)
    {
        var (one, two) = await BothAsync(true, true);
        await Task.Run(all ? _files.Dispose : () => _files.Forget("/data/"), default).WaitAsync(Patience);
        var third = await Waiter.Rent(_files, A, create: true).Lease.WaitAsync(Patience);
        Assert.Equal((2, 1), (_disk.Opened(A), _disk.Unclosed(A)));
        _disk.Release();
        var (first, second) = (await one.Lease.WaitAsync(Patience), await two.Lease.WaitAsync(Patience));
        Assert.Same(first.File, second.File);
        Assert.NotSame(first.File, third.File);
        first.Dispose();
        Assert.Equal((0, 2), (second.File.Length, _disk.Unclosed(A)));
        second.Dispose();
        Assert.Equal((0, 1), (third.File.Length, _disk.Unclosed(A)));
        third.Dispose();
        Assert.Equal(all ? 0 : 1, _disk.Unclosed(A));
    }

    [Fact]
    public async Task An_open_that_fails_takes_nothing_from_who_came_after_it_was_forgotten()
    {
        var (one, two) = await BothAsync(false, false);
        await Task.Run(() => _files.Forget(A), default).WaitAsync(Patience);
        (await Waiter.Rent(_files, A, create: true).Lease.WaitAsync(Patience)).Dispose();
        FailOnce(5);
        _disk.Release();
        await Assert.ThrowsAsync<DiskException>(() => one.Lease.WaitAsync(Patience));
        await Assert.ThrowsAsync<DiskException>(() => two.Lease.WaitAsync(Patience));
        Make(A);
        Assert.Equal((2, 1), (_disk.Opened(A), _disk.Unclosed(A)));
    }

    [Fact]
    public void Keeps_so_many_that_nobody_uses_and_closes_the_longest_unused_first()
    {
        Make(A);
        Make(B);
        Make(A);
        using (_files.Rent(C, create: true)) Assert.Equal(3, _disk.Unclosed());
        Assert.Equal((1, 0, 1), (_disk.Unclosed(A), _disk.Unclosed(B), _disk.Unclosed(C)));
    }

    [Fact]
    public void A_file_that_is_open_is_had_without_allocating()
    {
        Make(A);
        Assert.Equal(0, Enumerable.Range(0, 10).Min(_ =>
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            _files.Rent(A, create: true).Dispose();
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }));
    }

    [Fact]
    public async Task No_file_is_closed_in_use_nor_left_open_whoever_comes_and_whatever_fails()
    {
        string[] paths = [A, B, C, "/data/d", "/none/e"];
        using (var files = new FileCache(_disk, 2))
        {
            await Task.WhenAll(Enumerable.Range(0, 6).Select(seed => Task.Run(() => Work(files, paths, new(seed))))).WaitAsync(Patience * 4);
            Assert.InRange(_disk.Unclosed(), 0, 2);
        }
        Assert.Equal(0, _disk.Unclosed());
    }

    void Work(FileCache files, string[] paths, Random random)
    {
        for (var i = 0; i < 20_000; i++)
        {
            var path = paths[random.Next(paths.Length)];
            if (random.Next(20) == 0)
            {
                _disk.Delete(path);
                files.Forget(path);
            }
            var create = random.Next(2) == 0;
            try
            {
                using var lease = files.Rent(path, create);
                _ = lease.File.Length;
            }
            catch (DiskException) when (!create || path == "/none/e") { }
        }
    }

    void Make(string path) => _files.Rent(path, create: true).Dispose();

    void FailOnce(int errno) => _simulated.Fault = (operation, path) =>
    {
        _simulated.Fault = (_, _) => null;
        return new(operation, path, errno, "as the test wants");
    };

    // Opening A is held up; the second has come to wait for the first's open.
    async Task<(Waiter First, Waiter Second)> BothAsync(bool first, bool second)
    {
        _disk.Hold(A);
        var one = Waiter.Rent(_files, A, first);
        await _disk.Opening.WaitAsync(Patience);
        var two = Waiter.Rent(_files, A, second);
        Assert.True(two.Waits());
        Assert.Equal(1, _disk.Opened(A));
        return (one, two);
    }

    /// <summary>Somebody who rents a file, on a thread of their own.</summary>
    sealed class Waiter
    {
        readonly TaskCompletionSource<FileCache.Lease> _lease = new(TaskCreationOptions.RunContinuationsAsynchronously);
        readonly Thread _thread;

        Waiter(FileCache files, string path, bool create)
        {
            _thread = new(() =>
            {
                try
                {
                    _lease.SetResult(files.Rent(path, create));
                }
                catch (DiskException e)
                {
                    _lease.SetException(e);
                }
            }) { IsBackground = true };
            _thread.Start();
        }

        public static Waiter Rent(FileCache files, string path, bool create) => new(files, path, create);

        public Task<FileCache.Lease> Lease => _lease.Task;

        public bool Waits() => SpinWait.SpinUntil(() => _thread.ThreadState.HasFlag(ThreadState.WaitSleepJoin), Patience);
    }
}
