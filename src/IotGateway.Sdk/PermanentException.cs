namespace IotGateway.Sdk;

/// <summary>Retrying cannot help: a human has to change something. The connector goes to Failed and says so.</summary>
public sealed class PermanentException : Exception
{
    /// <summary>Makes one; <paramref name="message"/> says what, which, and what to do.</summary>
    public PermanentException(string message, Exception? inner = null) : base(message, inner) { }

    /// <summary>Makes one without a message.</summary>
    public PermanentException() : this("A human is needed.") { }

    /// <summary>Makes one; <paramref name="message"/> says what, which, and what to do.</summary>
    public PermanentException(string message) : this(message, null) { }
}
