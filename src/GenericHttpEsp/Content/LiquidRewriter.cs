using System.Text.Encodings.Web;
using Fluid;
using Fluid.Ast;
using Fluid.Ast.BinaryExpressions;
using Fluid.Values;

namespace GenericHttpEsp.Content;

/// <summary>
/// Puts our own nodes into Fluid's tree: static text that is copied escaped, ranges and captures with a maximum, and a look at the deadline
/// before each loop turn and comparison. Notes on the way whether the recipient is named and which filters are unknown.
/// </summary>
internal sealed class LiquidRewriter : AstRewriter
{
    public bool NamesRecipient { get; private set; }

    public List<string> UnknownFilters { get; } = [];

    protected override Statement VisitTextSpanStatement(TextSpanStatement textSpanStatement)
    {
        textSpanStatement.PrepareBuffer(LiquidSetup.Options);
        return new StaticText(textSpanStatement.Buffer);
    }

    protected override Statement VisitRawStatement(RawStatement rawStatement) => new StaticText(rawStatement.Text.ToString());

    protected override Statement VisitCommentStatement(CommentStatement commentStatement) => new StaticText("");

    protected override Expression VisitRangeExpression(RangeExpression rangeExpression) =>
        new BoundedRange(Visit(rangeExpression.From), Visit(rangeExpression.To));

    protected override Statement VisitCaptureStatement(CaptureStatement captureStatement)
    {
        TryRewriteStatements(captureStatement.Statements, out var statements);
        return new BoundedCapture(captureStatement.Identifier, statements);
    }

    protected override Statement VisitForStatement(ForStatement forStatement)
    {
        var visited = (ForStatement)base.VisitForStatement(forStatement);
        return new ForStatement(
            [Checkpoint.Instance, .. visited.Statements], visited.Identifier, visited.Source, visited.Limit, visited.Offset, visited.Reversed, visited.Else);
    }

    protected override Statement VisitTableRowStatement(TableRowStatement tableRowStatement)
    {
        var visited = (TableRowStatement)base.VisitTableRowStatement(tableRowStatement);
        return new TableRowStatement(
            [Checkpoint.Instance, .. visited.Statements], visited.Identifier, visited.Source, visited.Limit, visited.Offset, visited.Cols);
    }

    protected override Expression VisitMemberExpression(MemberExpression memberExpression)
    {
        foreach (var segment in memberExpression.Segments)
        {
            if (segment is IndexerSegment indexer)
            {
                Visit(indexer.Expression);
            }
        }
        NamesRecipient |= memberExpression.Segments[0] is IdentifierSegment root && RootNames.NamesRecipient(root.Identifier);
        return memberExpression;
    }

    protected override Expression VisitFilterExpression(FilterExpression filterExpression)
    {
        if (!LiquidSetup.Options.Filters.TryGetValue(filterExpression.Name, out _))
        {
            UnknownFilters.Add(filterExpression.Name);
        }
        return base.VisitFilterExpression(filterExpression);
    }

    protected override Expression VisitContainsBinaryExpression(ContainsBinaryExpression containsBinaryExpression) =>
        new WatchedContains(Visit(containsBinaryExpression.Left), Visit(containsBinaryExpression.Right));

    protected override Expression VisitEqualBinaryExpression(EqualBinaryExpression equalBinaryExpression) =>
        new Watched(base.VisitEqualBinaryExpression(equalBinaryExpression));

    protected override Expression VisitNotEqualBinaryExpression(NotEqualBinaryExpression notEqualBinaryExpression) =>
        new Watched(base.VisitNotEqualBinaryExpression(notEqualBinaryExpression));

    protected override Expression VisitLowerThanBinaryExpression(LowerThanBinaryExpression lowerThanBinaryExpression) =>
        new Watched(base.VisitLowerThanBinaryExpression(lowerThanBinaryExpression));

    protected override Expression VisitGreaterThanBinaryExpression(GreaterThanBinaryExpression greaterThanBinaryExpression) =>
        new Watched(base.VisitGreaterThanBinaryExpression(greaterThanBinaryExpression));
}

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
