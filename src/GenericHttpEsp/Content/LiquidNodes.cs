using System.Text.Encodings.Web;
using Fluid;
using Fluid.Ast;
using Fluid.Values;

namespace GenericHttpEsp.Content;

/// <summary>An expression that may be slow on large values: the deadline is looked at first.</summary>
internal sealed class Watched(Expression inner) : Expression
{
    public override ValueTask<FluidValue> EvaluateAsync(TemplateContext context)
    {
        ((RenderContext)context).ThrowIfLate();
        return inner.EvaluateAsync(context);
    }

    protected override Expression Accept(AstVisitor visitor) => this;
}

internal sealed class WatchedContains(Expression left, Expression right) : Expression
{
    public override async ValueTask<FluidValue> EvaluateAsync(TemplateContext context)
    {
        ((RenderContext)context).ThrowIfLate();
        var (where, what) = (await left.EvaluateAsync(context), await right.EvaluateAsync(context));
        if (where is StringValue text)
        {
            ValueWeight.ThrowIfSlow(text.ToStringValue().Length, what.ToStringValue().Length);
        }
        return BooleanValue.Create(where.Contains(what));
    }

    protected override Expression Accept(AstVisitor visitor) => this;
}

/// <summary>Fluid would build a range of ten million items before it counts a step.</summary>
internal sealed class BoundedRange(Expression from, Expression to) : Expression
{
    public override async ValueTask<FluidValue> EvaluateAsync(TemplateContext context)
    {
        ((RenderContext)context).ThrowIfLate();
        var first = decimal.Truncate((await from.EvaluateAsync(context)).ToNumberValue());
        var last = decimal.Truncate((await to.EvaluateAsync(context)).ToNumberValue());
        var count = Math.Max(0, last - first + 1);
        if (count > RenderLimits.ItemsMax)
        {
            ValueWeight.ThrowIfMany(long.MaxValue);
        }
        var items = new FluidValue[(int)count];
        for (var index = 0; index < items.Length; index++)
        {
            items[index] = NumberValue.Create(first + index);
        }
        return new ArrayValue(items);
    }

    protected override Expression Accept(AstVisitor visitor) => this;
}

/// <summary>The deadline in each turn of a loop, also of an empty one.</summary>
internal sealed class Checkpoint : Statement
{
    public static readonly Checkpoint Instance = new();

    public override ValueTask<Completion> WriteToAsync(TextWriter writer, TextEncoder encoder, TemplateContext context)
    {
        ((RenderContext)context).ThrowIfLate();
        return Normal();
    }

    protected override Statement Accept(AstVisitor visitor) => this;
}
