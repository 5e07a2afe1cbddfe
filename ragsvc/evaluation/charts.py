"""Charts as inline SVG: text in, text out. Colours come from the page's style sheet, by class ``arm-N``."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape

WIDTH = 640
_LEFT, _RIGHT = 84, 24
_ROW = 34
_NAME_HEIGHT = 15


def interval_chart(title: str, rows: Mapping[str, tuple[float, float, float]]) -> str:
    """Draw one point with its interval a row; values are (low, middle, high), on one axis from 0.

    Args:
        title: what a reader who cannot see the chart is told.
        rows: label -> values, drawn from top to bottom.
    """
    most = _round_up(max(high for _, _, high in rows.values()))
    parts, bottom = [], _ROW * len(rows) + 8
    for tick in _ticks(most):
        x = _across(tick / most)
        parts += [_line(x, 4, x, bottom, "grid"), _text(x, bottom + 18, f"{tick:g}", "middle")]
    for at, (label, (low, middle, high)) in enumerate(rows.items()):
        y = _ROW * at + _ROW / 2 + 4
        parts += [
            _text(_LEFT - 10, y + 5, label, "end"),
            _line(_across(low / most), y, _across(high / most), y, f"interval arm-{at}"),
            f'<circle cx="{_across(middle / most):.1f}" cy="{y:.1f}" r="5" class="arm-{at}"/>',
        ]
    return _svg(title, bottom + 28, parts)


def curve_chart(title: str, curves: Mapping[str, Sequence[tuple[int, float]]]) -> str:
    """Draw curves of shares in [0, 1] over a logarithmic axis of ranks; each curve is named at its end."""
    last = max(k for curve in curves.values() for k, _ in curve)
    height = 240
    right = WIDTH - _RIGHT - 60  # the names stand there

    def place(k: int, share: float) -> tuple[float, float]:
        return _LEFT + (right - _LEFT) * math.log(k) / max(math.log(last), 1e-9), 10 + height * (1 - share)

    parts = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = place(1, share)[1]
        parts += [_line(_LEFT, y, right, y, "grid"), _text(_LEFT - 10, y + 5, f"{share:g}", "end")]
    for k, _ in next(iter(curves.values())):
        parts.append(_text(place(k, 0)[0], height + 30, str(k), "middle"))
    ends = []
    for at, (label, curve) in enumerate(curves.items()):
        points = [place(k, share) for k, share in curve]
        drawn = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<polyline points="{drawn}" class="curve arm-{at}"/>')
        ends.append((points[-1][1], label, at))
    free = 0.0
    for y, label, at in sorted(ends):  # from the top, each name below the one before
        free = max(y, free)
        parts.append(_text(right + 8, free + 5, label, "start", f"name arm-{at}"))
        free += _NAME_HEIGHT
    return _svg(title, height + 42, parts)


def share_chart(title: str, axes: tuple[str, str], curves: Mapping[str, Sequence[tuple[float, float]]]) -> str:
    """Draw curves between two shares in [0, 1]; a curve of one point is a dot.

    Args:
        title: what a reader who cannot see the chart is told.
        axes: what is across and what is up.
        curves: label -> points.
    """
    height, right, top = 260, WIDTH - _RIGHT - 130, 12  # the key stands at the right

    def place(x: float, y: float) -> tuple[float, float]:
        return _LEFT + (right - _LEFT) * x, top + height * (1 - y)

    parts = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        (x, bottom), (_, y) = place(share, 0), place(0, share)
        parts += [_line(_LEFT, y, right, y, "grid"), _text(_LEFT - 10, y + 5, f"{share:g}", "end")]
        parts += [_text(x, bottom + 18, f"{share:g}", "middle")]
    parts += [
        _text((_LEFT + right) / 2, top + height + 38, axes[0], "middle"),
        _text(right + 8, top + 4, axes[1], "start"),
    ]
    for at, (label, curve) in enumerate(curves.items()):
        points = [place(x, y) for x, y in curve]
        if len(points) == 1:
            parts.append(f'<circle cx="{points[0][0]:.1f}" cy="{points[0][1]:.1f}" r="5" class="arm-{at}"/>')
        else:
            drawn = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
            parts.append(f'<polyline points="{drawn}" class="curve arm-{at}"/>')
        parts.append(_text(right + 8, top + 4 + (at + 1) * (_NAME_HEIGHT + 4), label, "start", f"name arm-{at}"))
    return _svg(title, top + height + 46, parts)


def difference_chart(title: str, differences: Iterable[float]) -> str:
    """Draw one bar a query, the worst loss first; values are in [-1, 1], zero is the middle line."""
    values = sorted(differences)
    height, middle = 200, 100
    left, right = _LEFT, WIDTH - _RIGHT
    step = (right - left) / len(values)
    parts = []
    for value in (-1.0, -0.5, 0.0, 0.5, 1.0):
        y = middle - value * 90
        parts += [
            _line(left, y, right, y, "axis" if not value else "grid"),
            _text(left - 10, y + 5, f"{value:+g}" if value else "0", "end"),
        ]
    for at, value in enumerate(values):
        if value:
            top, size = middle - max(value, 0.0) * 90, abs(value) * 90
            kind = "win" if value > 0 else "loss"
            parts.append(
                f'<rect x="{left + at * step:.2f}" y="{top:.1f}" width="{max(step, 0.5):.2f}" height="{size:.1f}" '
                f'class="{kind}"/>'
            )
    return _svg(title, height + 4, parts)


def _across(share: float) -> float:
    return _LEFT + (WIDTH - _LEFT - _RIGHT) * share


def _round_up(value: float) -> float:
    """Return the next of 1, 2, 5 times a power of ten: where an axis ends."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= value * 0.999)


def _ticks(most: float) -> list[float]:
    return [most * fifth / 5 for fifth in range(6)]


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'


def _text(x: float, y: float, text: str, anchor: str, kind: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{kind}">{escape(text)}</text>'


def _svg(title: str, height: float, parts: Sequence[str]) -> str:
    drawn = "".join(parts)
    return f'<svg viewBox="0 0 {WIDTH} {height:g}" role="img" aria-label="{escape(title)}">{drawn}</svg>'
