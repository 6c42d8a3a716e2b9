using GenericHttpEsp.Content;

namespace GenericHttpEsp.Providers;

/// <summary>One step of writing a record. Immutable, shared by threads.</summary>
internal abstract class RecordPart
{
    public abstract RenderFailure? Write(RecipientModel recipient, RenderScratch scratch, Utf8Buffer output);

    internal sealed class Literal(byte[] bytes) : RecordPart
    {
        public byte[] Bytes => bytes;

        public override RenderFailure? Write(RecipientModel recipient, RenderScratch scratch, Utf8Buffer output)
        {
            output.Write(bytes);
            return null;
        }
    }

    internal sealed class Address(ValuePlace place) : RecordPart
    {
        public override RenderFailure? Write(RecipientModel recipient, RenderScratch scratch, Utf8Buffer output)
        {
            scratch.Writer.Begin(output, place, singleLine: true, context: null);
            scratch.Writer.Write(recipient.Email.AsSpan());
            scratch.Writer.End();
            return null;
        }
    }

    internal sealed class Meta(RunIdentity identity, ValuePlace place) : RecordPart
    {
        public override RenderFailure? Write(RecipientModel recipient, RenderScratch scratch, Utf8Buffer output)
        {
            identity.WriteMeta(recipient, scratch.Small);
            PlaceEscaper.Write(scratch.Small.WrittenSpan, place, output);
            return null;
        }
    }

    /// <summary>Base64url: the same in every place.</summary>
    internal sealed class Token(RunIdentity identity) : RecordPart
    {
        public override RenderFailure? Write(RecipientModel recipient, RenderScratch scratch, Utf8Buffer output)
        {
            identity.WriteToken(recipient, output);
            return null;
        }
    }

    internal sealed class Liquid(LiquidTemplate template, RenderScope scope, ValuePlace place, bool singleLine) : RecordPart
    {
        public override RenderFailure? Write(RecipientModel recipient, RenderScratch scratch, Utf8Buffer output) =>
            template.Render(recipient, scope, place, singleLine, scratch, output);
    }

    /// <summary>Where a <c>$$BatchID</c> goes, known only when the request is put together: the bytes are cut here.</summary>
    internal sealed class BatchIdCut : RecordPart
    {
        public static readonly BatchIdCut Instance = new();

        public override RenderFailure? Write(RecipientModel recipient, RenderScratch scratch, Utf8Buffer output) => null;
    }
}
