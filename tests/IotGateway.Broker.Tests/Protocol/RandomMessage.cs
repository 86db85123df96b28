using System.Collections;
using System.Reflection;

namespace IotGateway.Broker.Tests.Protocol;

/// <summary>
/// Messages with random content in every field; with <c>nulls</c> also null where a property can be, with <c>small</c> mostly numbers
/// that mean something.
/// </summary>
sealed class RandomMessage(Random random, bool nulls, bool small = false)
{
    readonly NullabilityInfoContext _nullability = new();

    public object Create(Type type)
    {
        var message = Activator.CreateInstance(type)!;
        foreach (var property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance))
            property.SetValue(message, Value(property.PropertyType, _nullability.Create(property).WriteState == NullabilityState.Nullable));
        return message;
    }

    object? Value(Type type, bool nullable)
    {
        if (nullable && nulls && random.Next(2) == 0) return null;
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (small && random.Next(4) != 0)
        {
            if (type == typeof(sbyte)) return (sbyte)random.Next(-2, 5);
            if (type == typeof(short)) return (short)random.Next(-2, 5);
            if (type == typeof(int)) return random.Next(-2, 5);
            if (type == typeof(long)) return (long)random.Next(-5, 5);
        }
        if (type == typeof(bool)) return random.Next(2) == 0;
        if (type == typeof(sbyte)) return (sbyte)random.Next(sbyte.MinValue, sbyte.MaxValue);
        if (type == typeof(short)) return (short)random.Next(short.MinValue, short.MaxValue);
        if (type == typeof(ushort)) return (ushort)random.Next(ushort.MaxValue);
        if (type == typeof(int)) return random.Next(int.MinValue, int.MaxValue);
        if (type == typeof(long)) return random.NextInt64(long.MinValue, long.MaxValue);
        if (type == typeof(double)) return random.NextDouble();
        if (type == typeof(Guid)) return new Guid(Bytes(16));
        if (type == typeof(string)) return Text();
        if (type == typeof(ReadOnlyMemory<byte>)) return new ReadOnlyMemory<byte>(Bytes(random.Next(10) == 0 ? 3000 : random.Next(40)));
        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(List<>)) return Items(type);
        return Create(type);
    }

    IList Items(Type type)
    {
        var list = (IList)Activator.CreateInstance(type)!;
        for (var i = random.Next(4); i > 0; i--) list.Add(Value(type.GetGenericArguments()[0], false));
        return list;
    }

    string Text()
    {
        string[] texts = ["", "a", "press-line.readings", "Übergrößenträger", "机器", new string('x', 200)];
        return texts[random.Next(texts.Length)];
    }

    byte[] Bytes(int count)
    {
        var bytes = new byte[count];
        random.NextBytes(bytes);
        return bytes;
    }
}
