"""``ragsvc evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ragsvc.cli.output import Collections, Context, Json, print_json, print_table, say

if TYPE_CHECKING:
    from ragsvc.evaluation.comparison import QueryDifference
    from ragsvc.protocols import Reranker

app = typer.Typer(no_args_is_help=True)


@app.callback()
def group() -> None:
    """Measure retrieval and answers on a labelled set; compare runs; fit abstention."""


@app.command()
def retrieval(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="A set in BEIR layout.")],
    split: Annotated[str | None, typer.Option(help="Value of metadata.split (else all but train).")] = None,
    embedder: Annotated[str | None, typer.Option(help="Name, folder or hub name of the encoder.")] = None,
    reranker: Annotated[str | None, typer.Option(help="Folder or hub name: adds the arm reranked.")] = None,
    arms: Annotated[str, typer.Option(help="Which arms to run, separated by commas.")] = "lexical,dense,hybrid",
    domain: Annotated[str, typer.Option(help="law: a title that is an address is indexed as one.")] = "general",
    limit: Annotated[int | None, typer.Option(min=1, help="So many random queries.")] = None,
    seed: Annotated[int, typer.Option(help="Of the random choice and the intervals.")] = 0,
    history: Annotated[bool, typer.Option(help="Search for the earlier turns of a conversation as well.")] = True,
    run: Annotated[Path | None, typer.Option(help="Write the last arm's run as a TREC file.")] = None,
    queries: Annotated[Path | None, typer.Option(help="Write the results query by query, for compare.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write a page with figures, plots and worst queries.")] = None,
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
        reranker=_open_reranker(reranker) if reranker else None,
        history=history,
        run_file=run,
        queries_file=queries,
        report_file=report,
    )
    found = evaluate_retrieval(folder, options)
    if as_json:
        print_json(found)
        return
    say(f"{found['set']}: {found['n_queries']} queries, {found['n_documents']} documents, {found['embedder']}")
    if found["trained_on"]:
        say(f"trained_on: the encoder was trained on data of this set ({', '.join(found['trained_on'])})")
    if found["encoder"]["data"] is None:
        say("the encoder does not say what it was trained on: it may have seen this set")
    names = ["ndcg@10", "ci95", "recall@10", "recall@100", "mrr@10"]
    rows = [[arm, *(f[name] for name in names), f["latency_ms"]["p95"]] for arm, f in found["arms"].items()]
    print_table(["arm", *names, "p95 ms"], rows)
    if fusion := found["fusion"]:
        low, high = fusion["hybrid_minus_best_ci95"]
        say(f"hybrid - {fusion['best_arm']} (best arm): {fusion['hybrid_minus_best']:+.4f} ({low:+.4f} to {high:+.4f})")
    if (reranking := found["reranking"]) and "ci95" in reranking:
        low, high = reranking["ci95"]
        say(f"reranked - hybrid: {reranking['reranked_minus_hybrid']:+.4f} ({low:+.4f} to {high:+.4f})")


def _open_reranker(name: str) -> Reranker:
    from ragsvc.retrieval.reranking import CrossEncoderReranker

    return CrossEncoderReranker(name)


@app.command()
def compare(
    first: Annotated[str, typer.Argument(help="FILE of --queries, or FILE#ARM (else the hybrid arm).")],
    second: Annotated[str, typer.Argument(help="As FIRST; a difference above zero is in favour of this one.")],
    metric: Annotated[str, typer.Option(help="What queries are sorted by.")] = "ndcg@10",
    show: Annotated[int, typer.Option(min=0, help="So many of the worst and of the best queries.")] = 5,
    seed: Annotated[int, typer.Option(help="Of the intervals.")] = 0,
    as_json: Json = False,
) -> None:
    """Compare two runs query by query: mean differences with intervals, wins and losses, what came instead."""
    from ragsvc.evaluation.comparison import compare_files

    found = compare_files(first, second, metric=metric, seed=seed)
    if as_json:
        print_json(found)
        return
    left_out = found.first.left_out + found.second.left_out
    say(f"first: {found.first.file}, {found.first.arm}; second: {found.second.file}, {found.second.arm}")
    say(f"{found.n_queries} queries in both" + (f"; {left_out} are in one only" if left_out else ""))
    rows = [
        [name, m.first, m.second, f"{m.difference:+.4f}", f"{m.ci95[0]:+.3f} {m.ci95[1]:+.3f}", m.wins, m.losses]
        for name, m in found.metrics.items()
    ]
    print_table(["metric", "first", "second", "difference", "ci95", "wins", "losses"], rows)
    losses = [query for query in found.queries if query.difference < 0][:show]
    wins = [query for query in reversed(found.queries) if query.difference > 0][:show]
    for title, queries in (("Worst losses", losses), ("Best wins", wins)):
        if queries:
            print(f"\n{title} by {metric}")
        for query in queries:
            print_difference(query)


def print_difference(found: QueryDifference) -> None:
    """Print a query, what answers it and what each run put first."""
    print(f"\n{found.difference:+.4f}  {found.query}  {found.text}")
    lines = [("gold", document) for document in found.gold]
    lines += [("first", document) for document in found.first_hits[:2]]
    lines += [("second", document) for document in found.second_hits[:2]]
    for side, document in lines:
        mark = "*" if document.relevance > 0 else " "
        print(f"  {side:>6} {mark} {document.id}  {' '.join(document.excerpt.split())[:90]}")


@app.command()
def fusion(
    context: typer.Context,
    sets: Annotated[
        list[str],
        typer.Argument(
            metavar="FOLDER:DOMAIN[@ENCODER]...",
            help="Sets in BEIR layout; ENCODER: the folder of one that was trained without the set's source.",
        ),
    ],
    embedder: Annotated[str | None, typer.Option(help="Name, folder or hub name of the encoder.")] = None,
    seed: Annotated[int, typer.Option(help="Of the choice of queries and of the search.")] = 0,
    leave_out: Annotated[bool, typer.Option(help="Also fit without each set, to see how the fit carries over.")] = True,
    write: Annotated[Path | None, typer.Option(help="fusion.toml to write the model to.")] = None,
    as_json: Json = False,
) -> None:
    """Fit how much keywords weigh against vectors, by language, domain and how sure each arm is."""
    from ragsvc.evaluation.fusion import FusionSet, fit_fusion, write_fusion
    from ragsvc.evaluation.retrieval import RetrievalOptions

    given = []
    for one in sets:
        place, _, encoder = one.partition("@")
        folder, _, domain = place.rpartition(":")
        given.append(FusionSet(folder=Path(folder), domain=domain, encoder=Path(encoder) if encoder else None))
    command = f"evaluate fusion {' '.join(one.name for one in given)}"
    options = RetrievalOptions(embedder=embedder, seed=seed)
    found = fit_fusion(given, options, fitted_on=command, leave_out=leave_out)
    if write:
        write_fusion(found.model, write)
    if as_json:
        print_json(found)
        return
    names = ["lexical", "dense", "hybrid", "left_out", "mean_weight"]
    print_table(
        ["set", "queries", *names], [[s.name, s.n_queries, *(getattr(s, n) for n in names)] for s in found.sets]
    )
    say(f"bias {found.model.bias}, cosine {found.model.cosine}, drop {found.model.drop}")


@app.command()
def answers(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="Questions, one a line, like queries.jsonl of a set in BEIR layout.")],
    collection: Collections = None,
    strategy: Annotated[list[str] | None, typer.Option(help="May be repeated [by the model].")] = None,
    model: Annotated[list[str] | None, typer.Option(help="May be repeated [extractive].")] = None,
    split: Annotated[str | None, typer.Option(help="Value of metadata.split (else all but train).")] = None,
    domain: Annotated[str, typer.Option(help="Of the documents beside the file, for an empty home.")] = "general",
    embedder: Annotated[str | None, typer.Option(help="Name, folder or hub name of the encoder.")] = None,
    outside: Annotated[
        list[Path] | None, typer.Option(help="Questions that cannot be answered; may be repeated.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="So many random questions of each file.")] = None,
    seed: Annotated[int, typer.Option(help="Of the random choice and the intervals.")] = 0,
    write: Annotated[Path | None, typer.Option(help="Write every answer with its figures, one a line.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write a page with figures, plots and the worst answers.")] = None,
    as_json: Json = False,
) -> None:
    """Measure answers: citations, spans, addresses, abstention, ROUGE-L, latency; per strategy and model."""
    from ragsvc.evaluation.answers import AnswerOptions, evaluate_answers

    obj: Context = context.obj
    options = AnswerOptions(
        collections=tuple(collection or ()),
        strategies=tuple(strategy or ("",)),
        models=tuple(model or ("extractive",)),
        split=split,
        domain=domain,
        embedder=embedder,
        outside=tuple(outside or ()),
        limit=limit,
        seed=seed,
        home=obj.home,
        answers_file=write,
        report_file=report,
    )
    found = evaluate_answers(file, options)
    if as_json:
        print_json(found)
        return
    say(f"{found['file']}: {found['n_questions']} questions, {found['n_outside']} from outside, {found['embedder']}")
    names = ["n_answered", "abstained", "declined_outside", "citation_recall", "citation_precision", "exact_spans"]
    names += ["address_accuracy", "article_recall", "rouge_l"]
    rows = [[run, *(f[name] for name in names), f["latency_ms"]["p95"]] for run, f in found["runs"].items()]
    print_table(["run", *(name.replace("_", " ") for name in names), "p95 ms"], rows)


@app.command()
def abstention(
    context: typer.Context,
    folder: Annotated[
        Path,
        typer.Argument(help="A set in BEIR layout, or with --collection the queries.jsonl of answerable questions."),
    ],
    outside: Annotated[list[Path], typer.Option(help="queries.jsonl that cannot be answered; may be repeated.")],
    collection: Annotated[str, typer.Option("--collection", "-c", help="One of the home to fit for.")] = "",
    domain: Annotated[str, typer.Option(help="Domain whose threshold is fitted, without --collection.")] = "general",
    split: Annotated[str | None, typer.Option(help="Value of metadata.split (else all but train).")] = None,
    embedder: Annotated[str | None, typer.Option(help="Name, folder or hub name of the encoder.")] = None,
    seed: Annotated[int, typer.Option(help="Of the halves: one fits, the other measures.")] = 0,
    write: Annotated[
        Path | None, typer.Option(help="abstention.toml to write to; see 'collections set --abstention'.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Write a page with curves, the promise and the errors.")] = None,
    as_json: Json = False,
) -> None:
    """Fit when to decline; measure what that lets through on questions that the fit did not see."""
    from ragsvc.evaluation.abstention import evaluate_abstention, language_of_set, write_abstention
    from ragsvc.evaluation.abstention_report import write_abstention_report
    from ragsvc.evaluation.retrieval import RetrievalOptions
    from ragsvc.evaluation.selective import CONFIDENCE, LEAST_AREA

    obj: Context = context.obj
    if collection:
        domain = next((c.domain for c in obj.service().collections() if c.name == collection), domain)
    name = folder.name if folder.is_dir() else f"{folder.parent.name}/{folder.name}"
    command = f"evaluate abstention {name} " + (f"--collection {collection}" if collection else f"--domain {domain}")
    command += "".join(f" --outside {path.parent.name}/{path.name}" for path in outside)
    options = RetrievalOptions(split=split, domain=domain, embedder=embedder, home=obj.home, seed=seed)
    found = evaluate_abstention(folder, outside, options, collection=collection, fitted_on=command)
    if write:
        write_abstention(domain, language_of_set(folder), found.model, write)
    if report:
        write_abstention_report(report, command, found)
    if as_json:
        print_json(found)
        return
    promise = found.promise
    say(f"AUROC {found.auroc:.3f}; area under risk-coverage {found.area:.3f} ({LEAST_AREA} at the best, .5 by chance)")
    say(
        f"threshold {found.model.threshold:.3f}: {promise.let_through} of {promise.n_outside} outside questions are "
        f"answered, with {CONFIDENCE:.0%} confidence at most {promise.let_through_at_most:.1%}; {promise.refused} of "
        f"{promise.n_answerable} answerable ones are declined, at most {promise.refused_at_most:.1%}"
    )
    if rest := found.over_a_set:
        say(
            f"the answerable ones with their works left out: AUROC {rest.auroc_without_gold:.3f}, declined "
            f"{rest.declined_without_gold:.1%}; in small parts of the collection {rest.declined_in_small:.1%} of the "
            f"outside and {rest.false_refusals_in_small:.1%} of the answerable questions are declined"
        )
