namespace GenericHttpEsp.SystemTests; public sealed class PlaceholderTests { [Fact] public void True_IsTrue() => Assert.True(bool.Parse("true")); }
