namespace GenericHttpEsp.Storage;

/// <summary>Names that grains use in attributes and the silo is set up with.</summary>
internal static class StorageNames
{
    /// <summary>
    /// Storage of every grain state that is not a recipient's: <c>[PersistentState("campaign", StorageNames.Grains)]</c>. The state's name must be the
    /// grain's own and its key an integer: rows are told apart by those two only.
    /// </summary>
    public const string Grains = "grains";

    /// <summary>Stream provider for what is harmless to lose.</summary>
    public const string Progress = "progress";
}
