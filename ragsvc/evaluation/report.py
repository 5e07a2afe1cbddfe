"""One evaluation as one HTML page that needs nothing else: figures, plots, the worst queries, the encoder."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any, TypeVar

from ragsvc.evaluation.charts import curve_chart, difference_chart, interval_chart
from ragsvc.evaluation.results import ArmResult, JudgedDocument, QueryResult, values_of

T = TypeVar("T")
WORST = 20
CAME_INSTEAD = 3
CURVE_RANKS = (1, 2, 3, 5, 10, 20, 50, 100)
_PAGE = Path(__file__).with_name("report.html")
_COLUMNS = ("ndcg@10", "recall@10", "recall@100", "mrr@10")


def write_report(path: Path, found: Mapping[str, Any], results: Sequence[QueryResult]) -> None:
    """Write the page.

    Args:
        path: the file to write.
        found: what ``evaluate_retrieval`` returns.
        results: the same run, query by query.
    """
    arms = list(found["arms"])
    judged = "hybrid" if "hybrid" in arms else arms[-1]
    worst = sorted(results, key=lambda result: _badness(result.arms[judged]))[:WORST]
    worst = [result for result in worst if result.arms[judged].metrics["ndcg@10"] < 1]
    page = Template(_PAGE.read_text(encoding="utf-8")).substitute(
        title=escape(f"Retrieval on {found['set']}"),
        summary=escape(_summary(found)),
        warning=_warning(found),
        figures=_figures(found),
        differences=_differences(found),
        plots=_plots(found, results, arms),
        worst_are=escape(f"By nDCG@10 of the {judged} arm, those first whose answer is not among its hits at all."),
        worst="\n".join(_query(result, judged) for result in worst) or "<p>Every answer came first.</p>",
        encoder=_encoder(found["encoder"]),
    )
    path.write_text(page, encoding="utf-8")


def page_style() -> str:
    """Return the style sheet that all pages share."""
    style = re.search(r"<style>.*?</style>", _PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return style[0] if style else ""


def _badness(result: ArmResult) -> tuple[float, float]:
    """Sort key: low nDCG first and, among equals, a first positive far down or absent."""
    return result.metrics["ndcg@10"], -float(result.first_positive or 10**6)


def _summary(found: Mapping[str, Any]) -> str:
    turns = f" ({found['n_multi_turn']:,} with earlier turns)" if found["n_multi_turn"] else ""
    return (
        f"{found['n_queries']:,} queries{turns}, split: {found['split']}; {found['n_documents']:,} documents; "
        f"domain {found['domain']}; encoder {found['embedder']}"
    )


def _warning(found: Mapping[str, Any]) -> str:
    said = ""
    if found["trained_on"]:
        names = ", ".join(f"<code>{escape(name)}</code>" for name in found["trained_on"])
        said = (
            f"The encoder was trained on data of this set: {names}. It knows this kind of question better than others."
        )
    elif found["encoder"]["data"] is None:
        said = "The encoder does not say what it was trained on: it may have seen this set."
    return said and f'<p class="warn">{said}</p>'


def _figures(found: Mapping[str, Any]) -> str:
    heads = ("arm", "nDCG@10", "95 %", "recall@10", "recall@100", "MRR@10", "p50 ms", "p95 ms", "p99 ms")
    rows = []
    for arm, figures in found["arms"].items():
        low, high = figures["ci95"]
        cells = [f"{figures[name]:.3f}" for name in _COLUMNS]
        cells.insert(1, f"{low:.3f}–{high:.3f}")
        cells += [f"{figures['latency_ms'][quantile]:.1f}" for quantile in ("p50", "p95", "p99")]
        rows.append(f'<tr><th scope="row">{escape(arm)}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>')
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _differences(found: Mapping[str, Any]) -> str:
    fusion, reranking = found["fusion"] or {}, found["reranking"] or {}
    differences = [
        (f"hybrid − {arm}", fusion[f"hybrid_minus_{arm}"], fusion[f"hybrid_minus_{arm}_ci95"])
        for arm in ("lexical", "dense")
        if f"hybrid_minus_{arm}" in fusion
    ]
    if "reranked_minus_hybrid" in reranking:
        differences.append(("reranked − hybrid", reranking["reranked_minus_hybrid"], reranking["ci95"]))
    said = "; ".join(f"{name}: {mean:+.3f} ({low:+.3f} to {high:+.3f})" for name, mean, (low, high) in differences)
    reranker = f" Reranker: {reranking['reranker']}, over the first {reranking['first']} hits." if reranking else ""
    return escape(f"Difference in nDCG@10, paired by query: {said}.{reranker}") if said or reranker else ""


def _plots(found: Mapping[str, Any], results: Sequence[QueryResult], arms: Sequence[str]) -> str:
    intervals = {arm: (f["ci95"][0], f["ndcg@10"], f["ci95"][1]) for arm, f in found["arms"].items()}
    latencies = {
        arm: (f["latency_ms"]["p50"], f["latency_ms"]["p95"], f["latency_ms"]["p99"])
        for arm, f in found["arms"].items()
    }
    curves = {arm: _recall_curve(results, arm) for arm in arms}
    plots = [
        _figure("nDCG@10 with its 95 % interval", interval_chart, intervals),
        _figure("Recall at each rank", curve_chart, curves),
    ]
    if found["fusion"]:
        best = found["fusion"]["best_arm"]
        differences = values_of(results, "hybrid", "ndcg@10") - values_of(results, best, "ndcg@10")
        title = f"nDCG@10 of hybrid minus {best}, one bar a query, the worst loss first"
        plots.append(_figure(title, difference_chart, differences.tolist()))
    plots.append(_figure("Latency of one search in ms: from p50 to p99, the point is p95", interval_chart, latencies))
    return "\n".join(plots)


def _figure(title: str, draw: Callable[[str, T], str], data: T) -> str:
    return f"<figure>{draw(title, data)}<figcaption>{escape(title)}</figcaption></figure>"


def _recall_curve(results: Sequence[QueryResult], arm: str) -> list[tuple[int, float]]:
    def recall(result: QueryResult, k: int) -> float:
        return sum(rank <= k for rank in result.arms[arm].positive_ranks) / max(len(result.gold), 1)

    return [(k, sum(recall(result, k) for result in results) / len(results)) for k in CURVE_RANKS]


def _query(result: QueryResult, arm: str) -> str:
    found = result.arms[arm]
    others = [f"{name}: {_rank(other.first_positive)}" for name, other in result.arms.items() if name != arm]
    where = escape(f"first positive: {_rank(found.first_positive)}" + (f" ({', '.join(others)})" if others else ""))
    gold = "".join(f"<li>{_document(document)}</li>" for document in result.gold)
    hits = "".join(f"<li>{_document(document)}</li>" for document in found.hits[:CAME_INSTEAD])
    return (
        f"<article><h3>{escape(result.text)}</h3>"
        f'<p class="soft"><code>{escape(result.query)}</code> nDCG@10 {found.metrics["ndcg@10"]:.3f}, {where}</p>'
        f"<p>Gold</p><ul>{gold}</ul><p>What came first</p><ol>{hits or '<li>nothing</li>'}</ol></article>"
    )


def _rank(rank: int | None) -> str:
    return f"rank {rank}" if rank else "not found"


def _document(document: JudgedDocument) -> str:
    kind = ' class="gold"' if document.relevance > 0 else ""
    return f"<span{kind}><code>{escape(document.id)}</code></span> {escape(document.excerpt)}"


def _encoder(encoder: Mapping[str, Any]) -> str:
    data = encoder["data"]
    facts = {"id": encoder["id"], "dim": encoder["dim"], "trained on": ", ".join(data) if data else "not stated"}
    facts |= {key.replace("_", " "): value for key, value in encoder["card"].items() if key not in facts}
    rows = "".join(f"<dt>{escape(key)}</dt><dd>{escape(_fact(value))}</dd>" for key, value in facts.items())
    return f"<dl>{rows}</dl>"


def _fact(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
