using Fluid.Ast;
using Fluid.Ast.BinaryExpressions;

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
