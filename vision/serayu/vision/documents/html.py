"""The report as one HTML file: pictures within, no script, nothing from the network."""

import base64
import functools
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from serayu.vision.documents.content import Content
from serayu.vision.documents.drawing import Drawing, Line, svg
from serayu.vision.documents.road_map import MOST_NUMBERS, symbol
from serayu.vision.documents.signs import CONDITIONS, UNKNOWN, Sign, Strip
from serayu.vision.documents.words import Said, meant, number, say

__all__ = ["html"]

_FOLDER = Path(__file__).with_name("templates")


def html(content: Content) -> str:
    """Return the report."""
    return (
        _environment()
        .get_template("report.html")
        .render(
            report=content,
            most_numbers=MOST_NUMBERS,
            map_svg=None if content.map is None else _picture(content.map, title=say("map").id),
            style=Markup((_FOLDER / "report.css").read_text("utf-8")),  # noqa: S704 -- our own file
            strips=[
                *((meant(f"pavement.condition.{one.value}"), strip) for one, strip in CONDITIONS.items()),
                (say("map_unknown"), UNKNOWN),
            ],
        )
    )


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals.update(say=say, number=number, sign=_sign, strip=_strip, jpeg=_jpeg)
    environment.filters["both"] = _both
    return environment


def _both(said: Said) -> Markup:
    if not said.en:
        return Markup("{}").format(said.id)
    return Markup('{} <span lang="en">{}</span>').format(said.id, said.en)


def _sign(sign: Sign) -> Markup:
    drawing = Drawing(5.4, 5.4, tuple(symbol(sign, (2.7, 2.7))))
    return Markup('<span class="sign">{}</span>').format(_picture(drawing, title=sign.letter))


def _strip(strip: Strip) -> Markup:
    line = Line(((0.0, 1.5), (12.0, 1.5)), strip.colour, 1.8, strip.dashes)
    return Markup('<span class="strip">{}</span>').format(
        _picture(Drawing(12, 3, (line,)), title=strip.letters)
    )


def _picture(drawing: Drawing, *, title: str) -> Markup:
    return Markup(svg(drawing, title=title))  # noqa: S704 -- it escapes words itself


def _jpeg(data: bytes) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(data).decode()}"
