"""Training dialogues the Lawyer LLaMA way: a question, three articles of which some do not belong, a lawyer's answer.

The articles are found by the service's own search, so that the wrong ones are those that it will really show; the right
ones are put in where it misses them. The model's prompt is made by the strategy ``lawyer_llama`` itself.

What the authors did not publish is ours: how many places hold irrelevant articles (their released data always has three
articles a question), and that a dialogue without articles never has an answer that names a law.
Source: arXiv 2305.15062, section 3.3; data/ of AndrewZhe/lawyer-llama.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Sequence
from pathlib import Path

import msgspec
from anyio import CapacityLimiter
from msgspec import Struct

from ragsvc.domains.pack import find_pack
from ragsvc.errors import InvalidInput
from ragsvc.evaluation.datasets import LabelledSet, Query
from ragsvc.evaluation.retrieval import COLLECTION, IndexedSet, RetrievalOptions, open_home
from ragsvc.generation.literal_template import find_template
from ragsvc.generation.options import ChatOptions, prompt_tokens
from ragsvc.model_catalogue.catalogue import find_model, own_files
from ragsvc.prompting import language_of
from ragsvc.records import AskRequest, Filters, Message, Passage, SearchRequest, SearchResult, TextPiece, Turn
from ragsvc.strategies.lawyer_llama import last_call
from ragsvc.strategies.naming import source_line
from ragsvc.strategies.task import Task
from ragsvc.training.progress import counted
from ragsvc.training.sft_answers import check_answer, names_a_source
from ragsvc.wiring import Service

SEARCHED = 20
"""Hits among which right and irrelevant articles are looked for."""


class DialogueOptions(Struct, frozen=True, kw_only=True):
    """How dialogues are made."""

    model: str | None = "lawyer-llama-v2"
    """Whose literal template the prompts are in; None = chat messages, for any model with a chat template."""
    irrelevant_rate: float = 1.0
    """Chance of each place that no right article takes to hold an irrelevant one; 1 = always ``k`` articles."""
    bare_rate: float = 0.1
    """Chance of a dialogue to have no articles, where its answer names no law; none in chat messages, whose prompt
    without articles asks to say that nothing was found."""
    k: int = 3
    split: str = "train"
    domain: str = "law"
    limit: int | None = None
    seed: int = 0
    embedder: str | None = None
    home: Path | None = None
    """Keeps the index for the next time; None = a throw-away one."""


class Reference(Struct, frozen=True):
    """An article that was shown."""

    text: str
    """As one line: 《民法典》第…条：…."""
    is_right: bool
    was_found: bool
    """By the search, among its first ``SEARCHED``."""


class Dialogue(Struct, frozen=True, kw_only=True):
    """A line of the file."""

    id: str
    template: str
    """Literal template of ``prompt``; empty = chat messages."""
    messages: tuple[Message, ...]
    """What ``lawyer_llama`` sends for the question with these references."""
    prompt: str
    """The messages in the template, exactly as the model reads them; empty for chat messages."""
    answer: str
    references: tuple[Reference, ...]


class DialogueSummary(Struct, frozen=True, kw_only=True):
    """What became of the questions."""

    set: str
    licence: str
    """What the README of the set says of licences."""
    options: DialogueOptions
    questions: int
    dialogues: int
    dropped: dict[str, int]
    dropped_examples: dict[str, list[str]]
    """Some by reason: question id and the words that were wrong."""
    without_references: int
    references: int
    right: int
    irrelevant: int
    irrelevant_share: float
    right_found: int
    """Right articles that the search found by itself."""
    cited: int
    """Articles that answers name, all of them checked and shown."""


class _Reader:
    """The model that the prompts are for, as far as a strategy asks about it before it writes."""

    takes_images = False

    def __init__(self, name: str, template: str, room: int | None) -> None:
        self.name, self.template, self.prompt_tokens = name, template, room

    async def stream(self, messages: Sequence[Message]) -> AsyncGenerator[TextPiece, None]:
        raise InvalidInput("prompts are made for training here, no model answers")
        yield TextPiece()


def make_dialogues(folder: Path, output: Path, options: DialogueOptions) -> DialogueSummary:
    """Write a dialogue a line to ``output``, and beside it ``NAME.summary.json``.

    The same set, options and encoder give the same file.

    Raises:
        InvalidInput: the set is not in BEIR layout, no question is left, or a rate is none.
        NotFound: no such model.
    """
    if not (0 <= options.irrelevant_rate <= 1 and 0 <= options.bare_rate <= 1 and options.k >= 1):
        raise InvalidInput("rates are shares from 0 to 1, and k is at least 1")
    labelled = LabelledSet(folder)
    queries = labelled.select(options.split)[: options.limit]
    if not queries:
        raise InvalidInput(f"{folder}: no judged question is in the split {options.split!r}.")
    with open_home(RetrievalOptions(embedder=options.embedder, home=options.home)) as service:
        reader = _reader(options, service)
        indexed = IndexedSet(labelled, service, options.domain)
        indexed.ingest()
        maker = _Maker(indexed, options, reader)
        dialogues = list(maker.make(queries))
    summary = _summary(folder, options, len(queries), dialogues, maker)
    output.parent.mkdir(parents=True, exist_ok=True)
    unfinished = output.with_name(f"{output.name}.part")
    unfinished.write_bytes(msgspec.json.Encoder().encode_lines(dialogues))
    unfinished.replace(output)
    summary_path(output).write_bytes(msgspec.json.format(msgspec.json.encode(summary), indent=2))
    return summary


def summary_path(file: Path) -> Path:
    """Return where the summary of a file of dialogues is."""
    return file.with_name(f"{file.name.removesuffix('.jsonl')}.summary.json")


def read_dialogues(path: Path) -> list[Dialogue]:
    """Read a file of dialogues.

    Raises:
        InvalidInput: it cannot be read, or is not what ``train sft-data`` writes.
    """
    try:
        return msgspec.json.Decoder(Dialogue).decode_lines(path.read_bytes())
    except (OSError, msgspec.MsgspecError) as error:
        raise InvalidInput(f"{path.absolute()} is no file of dialogues as `train sft-data` writes: {error}") from error


def _reader(options: DialogueOptions, service: Service) -> _Reader:
    settings = service.settings
    if options.model is None:
        return _Reader("chat", "", None)
    card = find_model(options.model, own_files(settings.models_file))
    if not card.template:
        raise InvalidInput(f"{card.name} has no literal template: ask for chat messages (--chat) instead.")
    return _Reader(card.name, card.template, prompt_tokens(card, ChatOptions(max_tokens=settings.model_max_tokens)))


class _Maker:
    def __init__(self, indexed: IndexedSet, options: DialogueOptions, reader: _Reader) -> None:
        self.indexed, self.options, self.reader = indexed, options, reader
        self.pack = find_pack(options.domain)
        self.dropped: Counter[str] = Counter()
        self.examples: dict[str, list[str]] = {}
        self.cited = 0

    def make(self, queries: Sequence[Query]) -> Iterator[Dialogue]:
        by_id = {query.id: query for query in queries}
        for query_id in counted(list(by_id), "dialogues"):
            dialogue = self._one(by_id[query_id])
            if dialogue:
                yield dialogue

    def _one(self, query: Query) -> Dialogue | None:
        answer = str(query.metadata.get("answer") or "").strip()
        if not answer:
            return self._drop("no reference answer", query, "")
        checked = check_answer(answer, self.indexed.service, COLLECTION, self.pack.grammar)
        if checked.fault:
            return self._drop(checked.fault, query, checked.detail)
        draw = random.Random(f"{self.options.seed} {query.id}")  # a question's own, whatever others there are
        is_bare = draw.random() < self.options.bare_rate and not names_a_source(answer, self.pack.grammar)
        chosen = [] if is_bare and self.reader.template else self._choose(query, checked.cited, draw)
        if len(checked.cited) > self.options.k:
            return self._drop("names more articles than are shown", query, str(len(checked.cited)))
        call = last_call(self._task(query), tuple(passage for passage, _ in chosen))
        if call.n_passages < len(chosen):
            return self._drop("articles too long for the model's window", query, "")
        template = self.reader.template
        self.cited += len(checked.cited)
        return Dialogue(
            id=query.id,
            template=template,
            messages=call.messages,
            prompt=find_template(template).render(call.messages) if template else "",
            answer=answer,
            references=tuple(reference for _, reference in chosen),
        )

    def _drop(self, reason: str, query: Query, detail: str) -> Dialogue | None:
        self.dropped[reason] += 1
        shown = self.examples.setdefault(reason, [])
        if len(shown) < 5:
            shown.append(f"{query.id} {detail}".strip())
        return None

    def _choose(self, query: Query, cited: Sequence[Passage], draw: random.Random) -> list[tuple[Passage, Reference]]:
        """Return what is shown: in the order of the hits, right articles that were not found at random places."""
        service, k = self.indexed.service, self.options.k
        request = SearchRequest(question=query.question(), collections=(COLLECTION,), k=SEARCHED)
        hits = {hit.document_id: hit for hit in service.search(request).passages}
        gold = [name for name, relevance in self.indexed.labelled.relevance[query.id].items() if relevance > 0]
        labelled = self.indexed.document_ids(gold)
        labelled.sort(key=lambda found: (list(hits).index(found) if found in hits else SEARCHED, found))
        named = {passage.document_id: passage for passage in cited}
        wanted = list(dict.fromkeys([*named, *labelled]))[:k]
        right = {name: hits.get(name) or named.get(name) or self._article(name) for name in wanted}
        others = [name for name in hits if name not in named and name not in labelled]
        free = sum(draw.random() < self.options.irrelevant_rate for _ in range(k - len(right)))
        shown = [name for name in hits if name in right or name in others[:free]]
        for name in right:
            if name not in hits:
                shown.insert(draw.randint(0, len(shown)), name)
        by_line = {source_line(passage): passage for passage in (right.get(name) or hits[name] for name in shown)}
        return [(p, Reference(line, p.document_id in right, p.document_id in hits)) for line, p in by_line.items()]

    def _article(self, document_id: str) -> Passage:
        service = self.indexed.service
        filters = Filters(documents=(document_id,))
        found = service.search(SearchRequest(question="条", collections=(COLLECTION,), k=1, filters=filters))
        return found.passages[0]

    def _task(self, query: Query) -> Task:
        service = self.indexed.service

        async def search(request: SearchRequest) -> SearchResult:
            return service.search(request)

        return Task(
            request=AskRequest(
                question=query.text,
                collections=(COLLECTION,),
                history=tuple(Turn("user", turn) for turn in query.history),
            ),
            result=SearchResult(passages=()),
            language=language_of(query.text),
            pack=self.pack,
            model=self.reader,
            embedder=service.embedder,
            search=search,
            limiter=CapacityLimiter(1),
        )


def _summary(
    folder: Path, options: DialogueOptions, n_questions: int, dialogues: Sequence[Dialogue], maker: _Maker
) -> DialogueSummary:
    shown = [reference for dialogue in dialogues for reference in dialogue.references]
    right = sum(reference.is_right for reference in shown)
    return DialogueSummary(
        set=folder.resolve().name,
        licence=_licence(folder),
        options=msgspec.structs.replace(options, home=None),
        questions=n_questions,
        dialogues=len(dialogues),
        dropped=dict(sorted(maker.dropped.items())),
        dropped_examples=dict(sorted(maker.examples.items())),
        without_references=sum(not dialogue.references for dialogue in dialogues),
        references=len(shown),
        right=right,
        irrelevant=len(shown) - right,
        irrelevant_share=round((len(shown) - right) / max(1, len(shown)), 4),
        right_found=sum(reference.is_right and reference.was_found for reference in shown),
        cited=maker.cited,
    )


def _licence(folder: Path) -> str:
    """Return the lines of the set's README that speak of a licence."""
    readme = folder / "README.md"
    lines = readme.read_text("utf-8").splitlines() if readme.is_file() else []
    said = [line.strip("- ").strip() for line in lines if "licence" in line.lower() or "license" in line.lower()]
    return " ".join(said) or "not stated by the set"
