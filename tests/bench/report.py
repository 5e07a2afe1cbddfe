"""Figures of a run -> Markdown."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ragsvc.evaluation.metrics import paired_interval
from tests.bench.parts import Figures


def to_markdown(figures: Figures) -> str:
    """Return two tables: ragsvc alone, and beside the peers."""
    machine, ingest = figures["machine"], figures["ingest"]
    lines = [
        f"{machine['processors']} processors, Python {machine['python']}, {figures['date']}; "
        f"load average at the parts' start {_loads(figures)}.",
        "" if not figures["quick"] else "\nA quick run on samples: it shows that the bench works, nothing else.",
        "",
        *_table(("measured", "figure"), _ingest_rows(ingest) + _search_rows(figures["search"], figures["serving"])),
        "",
        f"The same {figures['search']['n_queries']} questions, documents and encoder, k = 10:",
        "",
        *_table(("searcher", "index", "p50", "p95", "nDCG@10", "Recall@10", "peak memory"), _peer_rows(figures)),
        "",
        *_comparisons(figures),
    ]
    return "\n".join(lines)


def _loads(figures: Figures) -> str:
    return ", ".join(f"{figures[part]['load']}" for part in ("ingest", "search", "serving", "langchain"))


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)]


def _ingest_rows(part: Figures) -> list[tuple[str, str]]:
    amount = f"{part['files']} statutes, {part['megabytes']} MB, {part['articles']:,} articles"
    return [
        (
            f"ingest, disk to searchable ({amount})",
            f"{part['ingest_s']} s = {part['articles_per_s']:,} articles/s, after {part['start_s']} s to start",
        ),
        ("peak memory of that ingest", f"{part['peak_mb']} MB"),
    ]


def _search_rows(search: Figures, serving: Figures) -> list[tuple[str, str]]:
    def latency(part: Figures, prefix: str = "") -> str:
        return " / ".join(f"{part[f'{prefix}{name}_ms']}" for name in ("p50", "p95", "p99")) + " ms"

    return [
        (f"hybrid search in process, {search['n_documents']:,} articles: p50 / p95 / p99", latency(search)),
        (
            "queries/s in process, 1 / 2 threads",
            f"{search['queries_per_s_1_threads']} / {search['queries_per_s_2_threads']}",
        ),
        ("search over HTTP, 1 client: p50 / p95 / p99", latency(serving, "http_")),
        (
            f"queries/s over HTTP ({serving['http_requests']} requests), 1 / 4 clients",
            f"{serving['http_queries_per_s_1_clients']} / {serving['http_queries_per_s_4_clients']}",
        ),
        (
            "resident memory of the server / with its ingest process",
            f"{serving['server_rss_mb']} / {serving['server_and_children_rss_mb']} MB",
        ),
        ("`ragsvc serve` to the first answer over HTTP", f"{serving['cold_start_s']} s"),
        ("`ragsvc ask`", f"{serving['ask_s']} s"),
        ("`ragsvc --help`", f"{serving['help_s']} s"),
    ]


def _searchers(figures: Figures) -> dict[str, Figures]:
    peer = figures["langchain"]
    ensembles = {f"LangChain ensemble, {name}": peer[name] for name in peer if isinstance(peer[name], dict)}
    return {"ragsvc hybrid": figures["search"], **ensembles}


def _peer_rows(figures: Figures) -> list[tuple[str, ...]]:
    ours = figures["search"]
    rows = []
    for name, part in _searchers(figures).items():
        times = "" if part is ours else " ({:.1f}×)"
        peak_mb = part.get("peak_mb") or figures["langchain"]["peak_mb"]
        rows.append(
            (
                name,
                f"{part['index_s']} s" + times.format(part["index_s"] / ours["index_s"]),
                f"{part['p50_ms']} ms" + times.format(part["p50_ms"] / ours["p50_ms"]),
                f"{part['p95_ms']} ms" + times.format(part["p95_ms"] / ours["p95_ms"]),
                f"{part['ndcg@10']:.4f}",
                f"{part['recall@10']:.4f}",
                f"{peak_mb} MB" + ("" if part is ours else " (both)"),
            )
        )
    return rows


def _comparisons(figures: Figures) -> list[str]:
    """A line for each peer: the difference in nDCG@10, question by question, with its 95 % interval."""
    ours = np.array(figures["search"]["ndcg@10 per query"])
    lines = []
    for name, part in _searchers(figures).items():
        if part is not figures["search"]:
            mean, low, high = paired_interval(ours, np.array(part["ndcg@10 per query"]))
            lines.append(
                f"nDCG@10 of ragsvc less that of {name}: {mean:+.4f} (95 % interval {low:+.4f} to {high:+.4f})."
            )
    return lines
