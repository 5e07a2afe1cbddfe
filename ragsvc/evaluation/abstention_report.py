"""One fit of when to decline as one HTML page that needs nothing else: the promise, the curves, the errors."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from string import Template

from ragsvc.evaluation.abstention import AbstentionReport, Judged
from ragsvc.evaluation.charts import share_chart
from ragsvc.evaluation.report import page_style
from ragsvc.evaluation.selective import CONFIDENCE, LEAST_AREA, CurvePoint

SHOWN = 20
"""Of each kind of error."""
_PAGE = Path(__file__).with_name("abstention_report.html")
_COVERAGES = (0.5, 0.7, 0.8, 0.9, 0.95, 0.99)
"""Shares of the answerable questions answered, a row of the table each."""


def write_abstention_report(path: Path, command: str, found: AbstentionReport) -> None:
    """Write the page; ``command`` is what repeats the fit."""
    promise = found.promise
    page = Template(_PAGE.read_text(encoding="utf-8")).substitute(
        style=page_style(),
        title=escape("When to decline"),
        command=escape(f"ragsvc {command}"),
        summary=escape(
            f"{promise.n_answerable + promise.n_outside:,} questions that the fit did not see: "
            f"{promise.n_answerable:,} answerable, {promise.n_outside:,} from outside; "
            f"encoder {found.model.embedder_id}"
        ),
        promise=escape(
            f"Of questions from outside like these, at most {promise.let_through_at_most:.1%} are answered, and of "
            f"answerable ones at most {promise.refused_at_most:.1%} are declined, each with {CONFIDENCE:.0%} "
            f"confidence. Seen: {promise.let_through} of {promise.n_outside} and {promise.refused} of "
            f"{promise.n_answerable}."
        ),
        figures=_figures(found),
        table=_table(found.curve),
        plots=_plots(found),
        let_through=_errors(found.let_through),
        refused=_errors(found.refused),
    )
    path.write_text(page, encoding="utf-8")


def _figures(found: AbstentionReport) -> str:
    facts = {
        "threshold": f"{found.model.threshold:.4f}",
        "AUROC": f"{found.auroc:.4f}",
        "area under risk-coverage": f"{found.area:.4f} ({LEAST_AREA} at the best, 0.5 by chance)",
    }
    if rest := found.over_a_set:
        facts |= {
            "answerable, works left out: AUROC": f"{rest.auroc_without_gold:.4f}",
            "answerable, works left out: declined": f"{rest.declined_without_gold:.1%}",
            "in small parts: outside declined": f"{rest.declined_in_small:.1%}",
            "in small parts: answerable declined": f"{rest.false_refusals_in_small:.1%}",
        }
    return "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts.items())


def _table(curve: Sequence[CurvePoint]) -> str:
    heads = ("answerable answered", "threshold", "outside answered", f"at most ({CONFIDENCE:.0%})", "risk", "coverage")
    rows = []
    for share in _COVERAGES:
        point = next((point for point in curve if point.answered >= share), curve[-1])
        shares = (point.let_through, point.let_through_at_most, point.risk, point.coverage)
        cells = (f"{point.threshold:.4f}", *(f"{share:.1%}" for share in shares))
        row = "".join(f"<td>{cell}</td>" for cell in cells)
        rows.append(f'<tr><th scope="row">{point.answered:.1%}</th>{row}</tr>')
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _plots(found: AbstentionReport) -> str:
    curve = found.curve
    chosen = next((point for point in reversed(curve) if point.threshold >= found.model.threshold), curve[0])
    risk = {
        "risk": [(point.coverage, point.risk) for point in curve],
        "threshold": [(chosen.coverage, chosen.risk)],
    }
    through = {
        "seen": [(point.answered, point.let_through) for point in curve],
        "threshold": [(chosen.answered, chosen.let_through)],
        f"at most ({CONFIDENCE:.0%})": [(point.answered, point.let_through_at_most) for point in curve],
    }
    charts = (
        ("Risk over coverage", ("coverage", "risk"), risk),
        ("Outside over answerable questions answered", ("answerable answered", "outside answered"), through),
    )
    return "\n".join(
        f"<figure>{share_chart(title, axes, curves)}<figcaption>{escape(title)}</figcaption></figure>"
        for title, axes, curves in charts
    )


def _errors(errors: Sequence[Judged]) -> str:
    if not errors:
        return "<p>None.</p>"
    items = "".join(
        f"<li>{escape(error.question)} "
        f'<span class="soft">{error.score:.3f}; closest: {escape(error.closest)}</span></li>'
        for error in errors[:SHOWN]
    )
    more = f'<p class="soft">{len(errors) - SHOWN} more.</p>' if len(errors) > SHOWN else ""
    return f"<ol>{items}</ol>{more}"
