using GenericHttpEsp.Api;
using Orleans.Serialization;

namespace GenericHttpEsp.Tests.Api;

public sealed class ExceptionProblemsTests
{
    /// <summary>A database driver's exception at another silo: the call that it ended may succeed a little later.</summary>
    [Fact]
    public void IsPassing_WhatNoMessageCanCarry_IsSo() =>
        Assert.True(ExceptionProblems.IsPassing(new OrleansException("The grain could not be reached.", new CodecNotFoundException("Npgsql.NpgsqlException"))));

    [Fact]
    public void IsPassing_ABug_IsNot() => Assert.False(ExceptionProblems.IsPassing(new OrleansException("The grain failed.", new ArgumentException("a bug"))));
}
