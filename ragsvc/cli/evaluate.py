"""``ragsvc evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ragsvc.cli.output import Context, Json, print_json, print_table, say

app = typer.Typer(no_args_is_help=True)


@app.callback()
def group() -> None:
    """Measure retrieval on a labelled set; fit abstention."""


@app.command()
def retrieval(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="A set in BEIR layout.")],
    split: Annotated[str | None, typer.Option(help="Value of metadata.split [all but train].")] = None,
    embedder: Annotated[str | None, typer.Option(help="Name, folder or hub name of the encoder.")] = None,
    arms: Annotated[str, typer.Option(help="Which arms to run, separated by commas.")] = "lexical,dense,hybrid",
    domain: Annotated[str, typer.Option(help="law: a title that is an address is indexed as one.")] = "general",
    limit: Annotated[int | None, typer.Option(min=1, help="So many random queries.")] = None,
    seed: Annotated[int, typer.Option(help="Of the random choice and the intervals.")] = 0,
    run: Annotated[Path | None, typer.Option(help="Write the last arm's run as a TREC file.")] = None,
    as_json: Json = False,
) -> None:
    """Measure each arm: nDCG@10, recall, MRR, latency; in a throw-away home unless --home is given."""
    from ragsvc.evaluation.retrieval import RetrievalOptions, evaluate_retrieval

    obj: Context = context.obj
    options = RetrievalOptions(
        split=split,
        arms=tuple(arms.split(",")),
        domain=domain,
        embedder=embedder,
        limit=limit,
        seed=seed,
        home=obj.home,
        run_file=run,
    )
    found = evaluate_retrieval(folder, options)
    if as_json:
        print_json(found)
        return
    say(f"{folder.name}: {found['n_queries']} queries, {found['n_documents']} documents, {found['embedder']}")
    names = ["ndcg@10", "ci95", "recall@10", "recall@100", "mrr@10"]
    rows = [[arm, *(f[name] for name in names), f["latency_ms"]["p95"]] for arm, f in found["arms"].items()]
    print_table(["arm", *names, "p95 ms"], rows)


@app.command()
def abstention(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="A set in BEIR layout: the answerable questions and the texts.")],
    outside: Annotated[list[Path], typer.Option(help="queries.jsonl that the set cannot answer; may be repeated.")],
    domain: Annotated[str, typer.Option(help="Domain whose threshold is fitted.")] = "general",
    split: Annotated[str | None, typer.Option(help="Value of metadata.split [all but train].")] = None,
    embedder: Annotated[str | None, typer.Option(help="Name, folder or hub name of the encoder.")] = None,
    write: Annotated[Path | None, typer.Option(help="abstention.toml to write the model to.")] = None,
    as_json: Json = False,
) -> None:
    """Fit when to decline: AUROC, and what is declined at one false refusal in ten."""
    from ragsvc.evaluation.abstention import evaluate_abstention, language_of_set, write_abstention
    from ragsvc.evaluation.retrieval import RetrievalOptions

    obj: Context = context.obj
    command = f"evaluate abstention {folder.name} --domain {domain}"
    command += "".join(f" --outside {path.parent.name}/{path.name}" for path in outside)
    options = RetrievalOptions(split=split, domain=domain, embedder=embedder, home=obj.home)
    found = evaluate_abstention(folder, outside, options, fitted_on=command)
    if write:
        write_abstention(domain, language_of_set(folder), found.model, write)
    if as_json:
        print_json(found)
        return
    say(
        f"AUROC {found.auroc_outside:.3f} against outside questions, {found.auroc_without_gold:.3f} against the same "
        f"questions with their works left out; declined: {found.declined_outside:.1%} and "
        f"{found.declined_without_gold:.1%}, at {found.false_refusals:.1%} of the answerable ones; "
        f"in small parts of the collection {found.declined_in_small:.1%} at {found.false_refusals_in_small:.1%}"
    )
