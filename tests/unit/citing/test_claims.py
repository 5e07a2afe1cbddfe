"""Quotations and content of sentences."""

from hypothesis import given
from hypothesis import strategies as st

from ragsvc.citing.claims import SearchableText, content, is_quotation, quoted_ranges, works_named

TEXT = "当事人一方不履行 合同义务\n或者履行\u200b不符合约定的，应当承担违约责任。"


def found(quotation: str) -> str | None:
    place = SearchableText.of(TEXT).find(quotation)
    return TEXT[slice(*place)] if place else None


def test_a_quotation_is_found_whatever_its_white_space() -> None:
    """The range found is an exact slice of the source, with the source's own white space and invisible signs."""
    assert found("不履行合同义务或者 履行不符合") == "不履行 合同义务\n或者履行\u200b不符合"


def test_words_left_out_and_the_writers_stop() -> None:
    """“…” stands for words left out, in order; a stop at the end may be the writer's."""
    assert found("当事人一方……应当承担违约责任") == TEXT[:-1]
    assert found("应当承担……当事人一方") is None
    assert found("不符合约定的。") == "不符合约定的"
    assert found("……") is None
    assert found("") is None


@given(st.text(max_size=60), st.integers(0, 60), st.integers(1, 60))
def test_every_slice_of_a_text_is_found_in_it(text: str, start: int, length: int) -> None:
    """A verbatim quotation without an ellipsis is always found, and equals what it repeats up to white space."""
    part = text[start : start + length]
    if "…" in part or "..." in part or not part.strip():
        return
    place = SearchableText.of(text).find(part)
    if place is not None:
        assert "".join(text[slice(*place)].split()) in "".join(text.split())
    else:
        assert not any(char.isalnum() for char in part)


def test_quotations_and_terms() -> None:
    """Outermost quotation marks count; a term of a few characters is no quotation; an open one is none."""
    assert quoted_ranges("甲“乙“丙”丁”戊「己") == [(2, 7)]
    assert is_quotation("不履行合同义务")
    assert is_quotation("freely given consent")
    assert not is_quotation("试用期")
    assert not is_quotation("consent")
    assert works_named("《民法典》与《刑法》") == ["民法典", "刑法"]


def test_content_leaves_out_what_only_joins() -> None:
    """Function words carry no support: two sentences that share only them share nothing."""
    assert not content("应当在其中的") & content("不应当的")
    assert content("The controller shall erase personal data") == {"controller", "erase", "personal", "data"}
