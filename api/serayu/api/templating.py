"""Pages from templates; every text comes from the catalogue, Indonesian first."""

from collections.abc import Mapping
from pathlib import Path

from fastapi import Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from serayu.models.survey.letters import LETTERS
from serayu.models.texts import decimal, text
from serayu.models.times import parse_rfc3339, wib

__all__ = ["Pages", "spoken_age"]

FOLDER = Path(__file__).with_name("templates")
MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86400
PAGE_HEADERS = {"Cache-Control": "no-store"}


class Pages:
    """Renders templates."""

    def __init__(self) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(FOLDER),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self.farmer_style = (FOLDER / "farmer.css").read_text("utf-8")
        self._environment.globals.update(
            t=_indonesian,
            en=_english,
            number=decimal,
            unit=unit_name,
            age=spoken_age,
            wib=wib,
            when=_when,
            letters={kind.value: letter for kind, letter in LETTERS.items()},
        )

    def render(self, name: str, **values: object) -> str:
        """Return a page's HTML."""
        return self._environment.get_template(name).render(**values)

    def response(
        self, name: str, *, status: int = 200, headers: Mapping[str, str] | None = None, **values: object
    ) -> Response:
        """Return a page as a response that nobody keeps."""
        sent = {**PAGE_HEADERS, **(headers or {})}
        return Response(self.render(name, **values), status, sent, media_type="text/html; charset=utf-8")


UNITS = {"/100": "%", "m3/s": "m³/s", "Cel": "°C", "%RH": "%", "count": "", "pH": ""}


def unit_name(unit: str) -> str:
    """Return a SenML unit as people write it."""
    return UNITS.get(unit, unit)


def spoken_age(seconds: float, lang: str = "id") -> str:
    """Return an age in one word and a unit, rounded down."""
    if seconds < MINUTE_S:
        return text("page.age.now", lang)
    for unit, size in (("day", DAY_S), ("hour", HOUR_S), ("minute", MINUTE_S)):
        if seconds >= size:
            return text(f"page.age.{unit}", lang, n=int(seconds // size))
    raise AssertionError("a minute or more fits one of the units")  # pragma: no cover


def _when(time: str | None) -> str:
    return "" if time is None else wib(parse_rfc3339(time))


def _indonesian(key: str, **fields: object) -> str:
    return text(key, "id", **fields)


def _english(key: str, **fields: object) -> str:
    return text(key, "en", **fields)
