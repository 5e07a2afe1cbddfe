"""What the elements of published XML formats mean for reading."""

from __future__ import annotations

from typing import Any

from msgspec import Struct


class Vocabulary(Struct, frozen=True, kw_only=True):
    """Local names of elements, by what they are to a reader."""

    name: str
    roots: frozenset[str]
    namespace: str = ""
    """Part of the root's namespace; empty where the format has none."""
    divisions: frozenset[str] = frozenset()
    """Have a heading of their own and whatever comes under it."""
    units: frozenset[str] = frozenset()
    """Numbered below the divisions: their number goes before their text."""
    numbers: frozenset[str] = frozenset()
    titles: frozenset[str] = frozenset()
    paragraphs: frozenset[str] = frozenset()
    notes: frozenset[str] = frozenset()
    skipped: frozenset[str] = frozenset()
    """Metadata, or read by ``xml_heads.py``."""

    @property
    def blocks(self) -> frozenset[str]:
        """Everything that is no inline element."""
        return self.divisions | self.units | self.numbers | self.titles | self.paragraphs | self.notes | {"table"}

    def is_root(self, local_name: str, namespace: str) -> bool:
        """Whether a document with this root is in the format."""
        return local_name in self.roots and self.namespace in namespace

    def name_of(self, element: Any) -> str:
        """What to call a division without a heading: an abstract (JATS), or by its code (SPL) if it says anything."""
        if element.tag == "abstract":
            return "Abstract"
        code = next((child for child in element if str(child.tag).endswith("}code")), None)
        name = "" if code is None else code.get("displayName", "")
        return "" if "UNCLASSIFIED" in name.upper() else name


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


MEDQUAD = Vocabulary(
    name="medquad",
    roots=_names("Document"),
    divisions=_names("QAPair"),
    titles=_names("Question"),
    paragraphs=_names("Answer"),
    skipped=_names("Focus FocusAnnotations"),
)
SPL = Vocabulary(
    name="spl",
    roots=_names("document"),
    namespace="urn:hl7-org:v3",
    divisions=_names("section"),
    titles=_names("title"),
    units=_names("item"),
    numbers=_names("caption"),
    paragraphs=_names("paragraph text"),
    notes=_names("footnote"),
    skipped=_names(
        "id code setId versionNumber effectiveTime author subject observationMedia renderMultiMedia footnoteRef "
        "templateId realmCode typeId languageCode confidentialityCode relatedDocument"
    ),
)
JATS = Vocabulary(
    name="jats",
    roots=_names("article"),
    divisions=_names("sec abstract trans-abstract ack app ref-list boxed-text glossary notes"),
    titles=_names("title"),
    numbers=_names("label"),
    units=_names("list-item def-item ref fig table-wrap"),
    paragraphs=_names("p caption attrib disp-quote verse-line mixed-citation element-citation"),
    notes=_names("fn"),
    skipped=_names(
        "journal-meta title-group contrib-group aff author-notes pub-date article-id article-categories volume issue "
        "fpage lpage elocation-id history permissions self-uri counts kwd-group funding-group custom-meta-group "
        "object-id graphic media tex-math related-article"
    ),
)
_STATUTE_UNITS = "subsection paragraph subparagraph clause subclause item subitem point indent alinea recital"
AKOMA_NTOSO = Vocabulary(
    name="akoma_ntoso",
    roots=_names("akomaNtoso"),
    divisions=_names(
        "book tome title subtitle part subpart chapter subchapter division subdivision section article rule "
        "attachment hcontainer component doc"
    ),
    units=_names(_STATUTE_UNITS),
    numbers=_names("num"),
    titles=_names("heading subheading crossHeading crossheading"),
    paragraphs=_names("p longTitle docTitle formula block"),
    notes=_names("authorialNote"),
    skipped=_names("meta"),
)
USLM = Vocabulary(
    name="uslm",
    roots=_names("uscDoc lawDoc bill resolution pLaw statutesAtLarge amendment uslm"),
    divisions=_names(
        "title subtitle part subpart chapter subchapter division subdivision section article appendix note "
        "preliminary courtRule courtRules reorganizationPlan reorganizationPlans"
    ),
    units=_names(_STATUTE_UNITS),
    numbers=_names("num"),
    titles=_names("heading subheading"),
    paragraphs=_names("chapeau content continuation p sourceCredit longTitle enactingFormula tocItem text"),
    notes=_names("footnote"),
    skipped=_names("meta"),
)
OTHER = Vocabulary(name="other", roots=frozenset(), titles=_names("title heading head"))
VOCABULARIES = (MEDQUAD, SPL, JATS, AKOMA_NTOSO, USLM)
