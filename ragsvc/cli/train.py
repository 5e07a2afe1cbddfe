"""``ragsvc train``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ragsvc.cli.output import Json, print_json, say

app = typer.Typer(no_args_is_help=True)


@app.callback()
def group() -> None:
    """Train models on pairs of questions and passages."""


@app.command()
def retriever(
    config: Annotated[Path, typer.Argument(help="TOML file; ragsvc/training/configs has complete ones.")],
    output: Annotated[Path, typer.Option(help="New folder for weights, card and plot.")],
    data: Annotated[Path | None, typer.Option(help="Folder that the config's paths count from.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with what was broken off in the folder.")] = False,
    as_json: Json = False,
) -> None:
    """Train an encoder; `evaluate retrieval --embedder FOLDER` measures it, `index rebuild` puts it to use."""
    from ragsvc.training.retriever import train_retriever

    _report(train_retriever(config, output, data=data, resume=resume), as_json=as_json)


def _report(folder: Path, *, as_json: bool) -> None:
    import msgspec

    from ragsvc.embedding.training_record import FILE_NAME

    record = msgspec.json.decode((folder / FILE_NAME).read_bytes())
    if as_json:
        print_json({"path": str(folder.absolute()), **record})
        return
    for stage in record["stages"]:
        say(f"{stage['name']}: {stage['steps']} steps in {stage['seconds']} s, loss {stage['final_loss']:.3f}")
    for score in record["scores"]:
        say(f"{score['set']}, {score['arm']}: nDCG@10 {score['ndcg_at_10']:.3f}")
    say(f"{folder}: trained on {len(record['data'])} data sets")


@app.command()
def reranker(
    config: Annotated[Path, typer.Argument(help="TOML file; ragsvc/training/configs has a complete one.")],
    output: Annotated[Path, typer.Option(help="New folder for weights, card and plot.")],
    data: Annotated[Path | None, typer.Option(help="Folder that the config's paths count from.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with what was broken off in the folder.")] = False,
    as_json: Json = False,
) -> None:
    """Train a cross-encoder that reads question and passage together."""
    from ragsvc.training.reranker import train_reranker

    _report(train_reranker(config, output, data=data, resume=resume), as_json=as_json)


@app.command()
def interaction(
    config: Annotated[Path, typer.Argument(help="TOML file; ragsvc/training/configs/interaction-zh-en.toml is one.")],
    output: Annotated[Path, typer.Option(help="New folder for weights and card; the setting rerank names it.")],
    data: Annotated[Path | None, typer.Option(help="Folder that the config's paths count from.")] = None,
    as_json: Json = False,
) -> None:
    """Fit a reranker that compares the words of question and passage by a static encoder's token vectors."""
    import msgspec

    from ragsvc.training.interaction import train_interaction

    fit = train_interaction(config, output, data=data)
    if as_json:
        print_json({"path": str(output.absolute()), **msgspec.to_builtins(fit)})
        return
    for source in fit.sources:
        say(f"{source.name}: nDCG@10 {source.hybrid:.3f}, reranked by what the others teach {source.left_out:.3f}")
    say(f"{output}: try it with 'evaluate retrieval --arms hybrid,reranked' and RAGSVC_RERANK={output}")


@app.command("mine-negatives")
def mine_negatives(
    config: Annotated[Path, typer.Argument(help="TOML file of the training that the negatives are for.")],
    output: Annotated[Path, typer.Option(help="File that its pair files name as 'negatives': .jsonl or .jsonl.gz.")],
    data: Annotated[Path | None, typer.Option(help="Folder that the config's paths count from.")] = None,
    embedder: Annotated[str | None, typer.Option(help="Encoder of the index: name or folder [the default].")] = None,
    source: Annotated[list[str] | None, typer.Option(help="Only this pair file; may be repeated [all].")] = None,
    first_rank: Annotated[int, typer.Option(min=1, help="Hits above it are left: often right, though unmarked.")] = 3,
    last_rank: Annotated[int, typer.Option(min=1, max=100, help="Deepest hit that is looked at.")] = 50,
    per_question: Annotated[int, typer.Option(min=1, help="Most negatives of a question.")] = 8,
    as_json: Json = False,
) -> None:
    """Find passages that look right for a question and are not, with the index that answers questions."""
    from ragsvc.training.negatives import Mining, mine_negatives

    mining = Mining(
        embedder=embedder,
        sources=tuple(source or ()),
        first_rank=first_rank,
        last_rank=last_rank,
        per_question=per_question,
    )
    found = mine_negatives(config, output, data=data, mining=mining)
    if as_json:
        print_json({"path": str(output.absolute()), "questions": found})
        return
    say(f"{output}: " + ", ".join(f"{count:,} questions of {name}" for name, count in found.items()))


@app.command("sft-data")
def sft_data(
    labelled: Annotated[Path, typer.Argument(help="Labelled set (BEIR layout) with answers in metadata.answer.")],
    out: Annotated[Path, typer.Option(help="JSONL file of dialogues; NAME.summary.json goes beside it.")],
    model: Annotated[str, typer.Option(help="Model whose literal template the prompts are in.")] = "lawyer-llama-v2",
    chat: Annotated[bool, typer.Option("--chat", help="Chat messages instead, for any model with a template.")] = False,
    irrelevant_rate: Annotated[
        float, typer.Option(min=0, max=1, help="Chance of each free place to hold an irrelevant article.")
    ] = 1.0,
    bare_rate: Annotated[float, typer.Option(min=0, max=1, help="Chance of a dialogue to have no articles.")] = 0.1,
    k: Annotated[int, typer.Option(min=1, help="Most articles of a dialogue.")] = 3,
    split: Annotated[str, typer.Option(help="Part of the set.")] = "train",
    domain: Annotated[str, typer.Option(help="Domain of the documents.")] = "law",
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first questions.")] = None,
    embedder: Annotated[str | None, typer.Option(help="Encoder of the index [the default].")] = None,
    home: Annotated[Path | None, typer.Option(help="Keeps the index for the next time [a throw-away one].")] = None,
    seed: Annotated[int, typer.Option(help="Of what is drawn.")] = 0,
    as_json: Json = False,
) -> None:
    """Make training dialogues the Lawyer LLaMA way: right and irrelevant articles, answers with checked citations."""
    import msgspec

    from ragsvc.training.sft_data import DialogueOptions, make_dialogues, summary_path

    options = DialogueOptions(
        model=None if chat else model,
        irrelevant_rate=irrelevant_rate,
        bare_rate=bare_rate,
        k=k,
        split=split,
        domain=domain,
        limit=limit,
        seed=seed,
        embedder=embedder,
        home=home,
    )
    made = make_dialogues(labelled, out, options)
    if as_json:
        print_json({"path": str(out.absolute()), **msgspec.to_builtins(made)})
        return
    say(f"{out}: {made.dialogues:,} dialogues of {made.questions:,} questions; figures in {summary_path(out).name}")
    say(f"{made.references:,} articles shown, {made.irrelevant_share:.0%} irrelevant; {made.without_references:,} bare")
    for reason, count in made.dropped.items():
        say(f"dropped, {reason}: {count:,}")


@app.command()
def sft(
    config: Annotated[Path, typer.Argument(help="TOML file; ragsvc/training/configs/lawyer-llama-sft.toml is one.")],
    output: Annotated[Path, typer.Option(help="New folder for weights or adapter, models.toml, card and plot.")],
    data: Annotated[Path | None, typer.Option(help="Folder that the config's paths count from.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with what was broken off in the folder.")] = False,
    as_json: Json = False,
) -> None:
    """Fine-tune a local chat model on dialogues of `train sft-data`; the folder's models.toml serves it."""
    import msgspec

    from ragsvc.training.sft import fine_tune

    record = fine_tune(config, output, data=data, resume=resume)
    if as_json:
        print_json({"path": str(output.absolute()), **msgspec.to_builtins(record)})
        return
    say(f"{record.stage.steps} steps in {record.stage.seconds} s, loss {record.stage.final_loss:.3f}")
    for name, loss in (("before", record.held_out_before), ("after", record.held_out_after)):
        if loss is not None:
            say(f"held-out loss {name} the training: {loss:.3f}")
    say(f"{output}: serve it with RAGSVC_MODELS_FILE={output / 'models.toml'} and --model {record.name}")
