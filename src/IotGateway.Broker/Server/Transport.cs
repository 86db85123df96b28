using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace IotGateway.Broker.Server;

/// <summary>Kestrel's socket transport on our <see cref="TransportMemory"/>. It takes that from a service collection and in no other way.</summary>
internal static class Transport
{
    /// <summary>
    /// Bytes of answers a socket takes ahead of its client: half of a fetch as consumers ask for them. With Kestrel's 64 KiB each block waited for
    /// the one before to be sent, and fetches took half as much processor time again.
    /// </summary>
    const int MostUnsent = 512 << 10;

    public static void AddTo(IServiceCollection services, TransportMemory memory)
    {
        services.AddSingleton<IMemoryPoolFactory<byte>>(memory);
        new Registrar(services).UseSockets(static options =>
        {
            options.NoDelay = true;
            options.MaxWriteBufferSize = MostUnsent;
        });
    }

    /// <summary>As much of a web host's builder as registering a transport needs.</summary>
    sealed class Registrar(IServiceCollection services) : IWebHostBuilder
    {
        readonly WebHostBuilderContext _context = new();

        public IWebHostBuilder ConfigureServices(Action<IServiceCollection> configureServices)
        {
            configureServices(services);
            return this;
        }

        public IWebHostBuilder ConfigureServices(Action<WebHostBuilderContext, IServiceCollection> configureServices)
        {
            configureServices(_context, services);
            return this;
        }

#pragma warning disable ASPDEPR008 // the interface has it; nobody calls it
        public IWebHost Build() => throw new NotSupportedException("It registers services only.");
#pragma warning restore ASPDEPR008

        public IWebHostBuilder ConfigureAppConfiguration(Action<WebHostBuilderContext, IConfigurationBuilder> configureDelegate)
            => throw new NotSupportedException("It registers services only.");

        public string? GetSetting(string key) => null;

        public IWebHostBuilder UseSetting(string key, string? value) => this;
    }
}
