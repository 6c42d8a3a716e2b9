namespace GenericHttpEsp.Tests; public sealed class PlaceholderTests { [Fact] public void True_IsTrue() => Assert.True(bool.Parse("true")); }
