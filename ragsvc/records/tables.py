"""Tables: what holds for all cells of one, and a cell with all that a reader must know to use its figure."""

from __future__ import annotations

from msgspec import Struct


class TableFrame(Struct, frozen=True, kw_only=True):
    """What a table says at its head, or the document says for all its tables; a row means little without it."""

    columns: tuple[str, ...]
    """Labels by column; the first is that of the row labels and often empty."""
    unit: str = ""
    """As written: 万元, millions of euros, thousands."""
    scale: int | None = None
    """Figures are to be multiplied with it: 10000 for 万元; None where nothing says it."""
    currency: str = ""
    """ISO 4217: CNY, USD, EUR; empty where nothing says it."""
    period: str = ""
    """As written, where the columns do not say it."""
    own_units: dict[str, str] = {}
    """Rows whose figures have a unit of their own, by label and first figure: "Basic | 1.89" -> "per share"."""

    def described(self, language: str) -> str:
        """Return the frame in words for a reader: 表头：项目 | 2023年 | 2022年，单位：万元（CNY），期间：…."""
        columns = " | ".join(self.columns) if any(self.columns) else ""
        unit = f"{self.unit} ({self.currency})" if self.unit and self.currency else self.unit or self.currency
        names = ("表头：", "单位：", "期间：") if language == "zh" else ("columns: ", "unit: ", "period: ")
        parts = [name + part for name, part in zip(names, (columns, unit, self.period), strict=True) if part]
        return ("，" if language == "zh" else ", ").join(parts)


class Cell(Struct, frozen=True, kw_only=True):
    """One figure of a table."""

    row: str
    column: str
    value: str
    """As printed: "(391.2)", "9,642"."""
    unit: str
    scale: int | None
    currency: str
    period: str
