"""One evaluation of answers as one HTML page that needs nothing else: figures, plots, the worst answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

from ragsvc.evaluation.charts import interval_chart
from ragsvc.evaluation.report import page_style

if TYPE_CHECKING:
    from ragsvc.evaluation.answers import AnswerResult

WORST = 20
_HERE = Path(__file__).parent
_COLUMNS = {
    "n_answered": "answered",
    "abstained": "abstained",
    "failed": "failed",
    "declined_outside": "declined outside",
    "citation_recall": "citation recall",
    "citation_precision": "citation precision",
    "citations_per_answer": "citations an answer",
    "exact_spans": "exact spans",
    "address_accuracy": "address accuracy",
    "article_recall": "article recall",
    "article_precision": "article precision",
    "rouge_l": "ROUGE-L",
    "replies_per_answer": "replies an answer",
    "prompt_tokens": "prompt tokens",
    "completion_tokens": "completion tokens",
}


def write_answers_report(path: Path, found: Mapping[str, Any], results: Sequence[AnswerResult]) -> None:
    """Write the page.

    Args:
        path: the file to write.
        found: what ``evaluate_answers`` returns.
        results: the same, answer by answer.
    """
    worst = sorted((r for r in results if r.outcome == "answered"), key=_badness)[:WORST]
    page = Template((_HERE / "answers_report.html").read_text(encoding="utf-8")).substitute(
        style=page_style(),
        title=escape(f"Answers to {found['file']}"),
        summary=escape(
            f"{found['n_questions']:,} questions, split: {found['split']}; {found['n_outside']:,} from outside; "
            f"encoder {found['embedder']}"
        ),
        figures=_figures(found["runs"]),
        plots=_plots(found["runs"]),
        worst="\n".join(map(_answer, worst)) or "<p>Nothing was answered.</p>",
    )
    path.write_text(page, encoding="utf-8")


def _badness(result: AnswerResult) -> tuple[float, float, str]:
    """Sort key: statements without proof first, then answers far from their reference."""
    recall = result.n_recalled / result.n_statements if result.n_statements else 0.0
    return recall, result.rouge_l or 0.0, result.query


def _figures(runs: Mapping[str, Mapping[str, Any]]) -> str:
    head = "".join(f'<th scope="col">{escape(run)}</th>' for run in runs)
    rows = [
        f'<tr><th scope="row">{label}</th>{"".join(f"<td>{_shown(f[name])}</td>" for f in runs.values())}</tr>'
        for name, label in _COLUMNS.items()
    ]
    for quantile in ("p50", "p95", "p99"):
        cells = "".join(f"<td>{f['latency_ms'][quantile]:,.1f}</td>" for f in runs.values())
        rows.append(f'<tr><th scope="row">latency {quantile}, ms</th>{cells}</tr>')
    return f'<table><thead><tr><th scope="col"></th>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'


def _shown(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:.3f}"


def _plots(runs: Mapping[str, Mapping[str, Any]]) -> str:
    plots = []
    for name, title in (("citation_recall", "Citation recall"), ("citation_precision", "Citation precision")):
        values = {run: (0.0, f[name], f[name]) for run, f in runs.items() if f[name] is not None}
        if values:
            plots.append(_figure(title, values))
    rouge = {
        run: (f["rouge_l_ci95"][0], f["rouge_l"], f["rouge_l_ci95"][1])
        for run, f in runs.items()
        if f["rouge_l"] is not None
    }
    if rouge:
        plots.append(_figure("ROUGE-L against the reference, with its 95 % interval", rouge))
    latencies = {run: tuple(f["latency_ms"][q] for q in ("p50", "p95", "p99")) for run, f in runs.items()}
    plots.append(_figure("Latency of one answer in ms: from p50 to p99, the point is p95", latencies))
    return "\n".join(plots)


def _figure(title: str, rows: Mapping[str, Any]) -> str:
    return f"<figure>{interval_chart(title, rows)}<figcaption>{escape(title)}</figcaption></figure>"


def _answer(result: AnswerResult) -> str:
    rouge = "" if result.rouge_l is None else f", ROUGE-L {result.rouge_l:.3f}"
    facts = (
        f"{result.run}: {result.n_recalled} of {result.n_statements} statements are entailed by what they cite, "
        f"{result.n_precise} of {result.n_citations} citations are precise{rouge}"
    )
    reference = f"<p>Reference</p><p>{escape(result.reference)}</p>" if result.reference else ""
    return (
        f"<article><h3>{escape(result.text)}</h3>"
        f'<p class="soft"><code>{escape(result.query)}</code> {escape(facts)}</p>'
        f'<p>Answer</p><p style="white-space: pre-wrap">{escape(result.answer)}</p>{reference}</article>'
    )
