"""Makes the tokenizer of a static encoder from texts: overlapping Han bigrams, Latin word pieces.

A static encoder adds up the vectors of a text's tokens, so the tokens have to carry the meaning by themselves.
Cutting Chinese into words makes two texts that share a phrase look different when it is cut differently; the
bigrams of a run overlap and leave nothing to cut. A tokenizer can only split, not repeat, so the normaliser first
writes every Han character twice: 合同法 → 合合同同法法, which splits into 合 | 合同 | 同法 | 法. A bigram outside
the vocabulary falls apart into its characters.
"""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

from ragsvc.training.charsmap import compile_charsmap

UNKNOWN = "[UNK]"
_FIRST_HAN, _LAST_HAN = 0x4E00, 0x9FFF
_HAN = r"[\x{4E00}-\x{9FFF}]"
_TOKENS = Regex(rf"(?<!{_HAN}){_HAN}|{_HAN}{{2}}|{_HAN}|\p{{Latin}}+|[0-9]+")
_LATIN_LETTERS = 200
"""Latin letters and digits in the vocabulary at most."""
_MIN_DOCUMENTS = 3
"""A character or bigram of fewer texts cannot be learned."""


def train_tokenizer(groups: Sequence[tuple[Sequence[str], float]], *, han_bigrams: int, latin_pieces: int) -> Tokenizer:
    """Return a tokenizer whose vocabulary covers the texts.

    Args:
        groups: texts of one kind and the weight of their document frequencies when the commonest bigrams are
            chosen: what people ask counts more than what many statutes repeat.
        han_bigrams: how many Han bigrams to keep, beside every Han character of at least three texts.
        latin_pieces: size of the byte-pair vocabulary of Latin words and numbers.
    """
    characters, bigrams = _han_frequencies(groups)
    latin = _latin_model([text for texts, _ in groups for text in texts], latin_pieces)
    kept = _commonest(bigrams)[:han_bigrams]
    tokens = dict.fromkeys([UNKNOWN, *_commonest(characters), *kept, *latin["vocab"]])
    vocabulary = {token: number for number, token in enumerate(tokens)}
    known = {pair for pair in kept if pair[0] in vocabulary and pair[1] in vocabulary}
    merges = [(pair[0], pair[1]) for pair in kept if pair in known] + [
        (merge[0], merge[1]) for merge in latin["merges"]
    ]
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges, unk_token=UNKNOWN))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normaliser(), _splitter()
    tokenizer.add_special_tokens([UNKNOWN])
    return tokenizer


def normaliser() -> normalizers.Normalizer:
    """Return NFKC and lower case, character by character, and every Han character twice."""
    replacements: dict[str, str] = {}
    for code in range(1, 0x10000):
        character = chr(code)
        if unicodedata.category(character) in ("Cs", "Cn", "Co"):
            continue
        plain = unicodedata.normalize("NFKC", character).lower()
        doubled = "".join(c * 2 if _FIRST_HAN <= ord(c) <= _LAST_HAN else c for c in plain)
        if doubled != character and "\0" not in doubled:
            replacements[character] = doubled
    return normalizers.Precompiled(compile_charsmap(replacements))


def _splitter() -> pre_tokenizers.PreTokenizer:
    return pre_tokenizers.Split(_TOKENS, behavior="removed", invert=True)


def _han_frequencies(groups: Sequence[tuple[Sequence[str], float]]) -> tuple[Counter[str], Counter[str]]:
    """Return weighted document frequencies of the Han characters and bigrams that enough texts have."""
    characters: Counter[str] = Counter()
    bigrams: Counter[str] = Counter()
    for texts, weight in groups:
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update(set(_han_units(text)))
        for unit, count in counts.items():
            if count >= _MIN_DOCUMENTS:
                (characters if len(unit) == 1 else bigrams)[unit] += count * weight  # type: ignore[assignment]
    return characters, bigrams


def commonest_characters(texts: Iterable[str], most: int, is_wanted: Callable[[str], bool]) -> list[str]:
    """Return the commonest characters after NFKC and lower case.

    Given to a trainer as its whole alphabet: of characters as rare as each other it would keep other ones each time.
    """
    raw: Counter[str] = Counter()
    for text in texts:
        raw.update(text)
    counts: Counter[str] = Counter()
    for character, count in raw.items():
        for plain in unicodedata.normalize("NFKC", character).lower():
            counts[plain] += count if is_wanted(plain) else 0
    return _commonest(+counts)[:most]


def _commonest(counts: Counter[str]) -> list[str]:
    """Return the units by count; of equal ones the order is that of their characters, the same in every process."""
    return sorted(counts, key=lambda unit: (-counts[unit], unit))


def _han_units(text: str) -> Iterator[str]:
    before = ""
    for character in unicodedata.normalize("NFKC", text):
        if not _FIRST_HAN <= ord(character) <= _LAST_HAN:
            before = ""
            continue
        yield character
        if before:
            yield before + character
        before = character


def _latin_model(texts: Iterable[str], size: int) -> dict[str, dict[str, int] | list[list[str]]]:
    """Train byte-pair merges on the Latin words and numbers of the texts."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"\p{Latin}+|[0-9]+"), behavior="removed", invert=True)
    texts = list(texts)
    alphabet = commonest_characters(texts, _LATIN_LETTERS, lambda c: c.isdigit() or "LATIN" in unicodedata.name(c, ""))
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        min_frequency=2,
        show_progress=False,
        initial_alphabet=alphabet,
        limit_alphabet=len(alphabet),
    )
    tokenizer.train_from_iterator(texts, trainer)
    model: dict[str, dict[str, int] | list[list[str]]] = json.loads(tokenizer.to_str())["model"]
    return model
