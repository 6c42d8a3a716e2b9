namespace GenericHttpEsp.Storage;

/// <summary>COMMIT failed, so nobody knows whether the work happened. Claims are then never sent, outcomes and events are repeated.</summary>
internal sealed class CommitUnknownException(Exception inner) : Exception("The commit failed; the work may or may not have happened.", inner);
