"""A drawing in millimetres of paper: put into HTML as SVG, and on a PDF page with the same marks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias
from xml.sax.saxutils import escape, quoteattr

import fpdf

__all__ = ["Area", "Drawing", "Label", "Line", "Mark", "on_page", "printable", "svg"]

Points: TypeAlias = tuple[tuple[float, float], ...]
_BASELINE = 0.35  # of a letter's height below its middle


@dataclass(frozen=True, slots=True)
class Line:
    """A line through points (x right, y down, mm)."""

    points: Points
    colour: str
    width: float
    dashes: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Area:
    """A filled polygon."""

    points: Points
    fill: str
    edge: str | None = None
    width: float = 0.2


@dataclass(frozen=True, slots=True)
class Label:
    """A word, by its middle (or, at the start, its left end); size is the letters' height in mm."""

    at: tuple[float, float]
    words: str
    size: float
    colour: str = "#222222"
    bold: bool = False
    start: bool = False


Mark: TypeAlias = Line | Area | Label


@dataclass(frozen=True, slots=True)
class Drawing:
    """Marks in the order in which they are drawn."""

    width: float
    height: float
    marks: tuple[Mark, ...]


def svg(drawing: Drawing, *, title: str) -> str:
    """Return a drawing as an SVG element; *title* is what it shows, for who does not see it."""
    inside = "\n".join(_element(mark) for mark in drawing.marks)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label={quoteattr(title)} '
        f'viewBox="0 0 {drawing.width:g} {drawing.height:g}" '
        f'font-family="Arial, Helvetica, sans-serif">\n{inside}\n</svg>'
    )


def on_page(drawing: Drawing, page: fpdf.FPDF, *, left: float, top: float) -> None:
    """Draw on the present page of a PDF whose unit is mm."""
    with page.local_context(stroke_cap_style="butt"):
        for mark in drawing.marks:
            _draw(mark, page, left, top)


def printable(words: str) -> str:
    """Return words in the letters that the standard fonts of PDF have; others become a question mark."""
    return words.encode("cp1252", "replace").decode("cp1252")


def _element(mark: Mark) -> str:
    match mark:
        case Line(points, colour, width, dashes):
            dashed = f' stroke-dasharray="{dashes[0]:g} {dashes[1]:g}"' if dashes else ""
            return (
                f'<polyline points="{_points(points)}" fill="none" stroke="{colour}" stroke-width="{width:g}"'
                f' stroke-linejoin="round"{dashed}/>'
            )
        case Area(points, fill, edge, width):
            stroke = f' stroke="{edge}" stroke-width="{width:g}"' if edge else ""
            return f'<polygon points="{_points(points)}" fill="{fill}"{stroke}/>'
        case Label((x, y), words, size, colour, bold, start):
            anchor = "start" if start else "middle"
            weight = ' font-weight="bold"' if bold else ""
            return (
                f'<text x="{x:.2f}" y="{y + _BASELINE * size:.2f}" font-size="{size:g}" fill="{colour}" '
                f'text-anchor="{anchor}"{weight}>{escape(words)}</text>'
            )


def _points(points: Points) -> str:
    return " ".join(f"{x:.2f},{y:.2f}" for x, y in points)


def _draw(mark: Mark, page: fpdf.FPDF, left: float, top: float) -> None:
    match mark:
        case Line(points, colour, width, dashes):
            page.set_draw_color(colour)
            page.set_line_width(width)
            page.set_dash_pattern(*(dashes or (0, 0)))
            page.polyline(_moved(points, left, top))
            page.set_dash_pattern()
        case Area(points, fill, edge, width):
            page.set_fill_color(fill)
            page.set_draw_color(edge or fill)
            page.set_line_width(width)
            page.polygon(_moved(points, left, top), style="DF" if edge else "F")
        case Label((x, y), words, size, colour, bold, start):
            page.set_font("Helvetica", style="B" if bold else "", size=size * 72 / 25.4)
            page.set_text_color(colour)
            told = printable(words)
            shift = 0.0 if start else page.get_string_width(told) / 2
            page.text(left + x - shift, top + y + _BASELINE * size, told)


def _moved(points: Sequence[tuple[float, float]], left: float, top: float) -> list[tuple[float, float]]:
    return [(left + x, top + y) for x, y in points]
