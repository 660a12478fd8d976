"""The report as PDF on A4: the same content as the HTML, laid out without a browser."""

import io
from collections.abc import Iterable, Sequence
from datetime import datetime

import fpdf
from fpdf.fonts import FontFace
from typing_extensions import override

from serayu.models.pavement.bina_marga import Condition
from serayu.vision.documents.content import Content
from serayu.vision.documents.drawing import Drawing, Label, Line, Mark, on_page, printable
from serayu.vision.documents.road_map import MOST_NUMBERS, symbol
from serayu.vision.documents.signs import CONDITIONS, UNKNOWN
from serayu.vision.documents.words import Said, meant, number, say

__all__ = ["pdf"]

_MARGIN, _WIDTH, _BOTTOM = 14.0, 182.0, 16.0
_BLUE, _GREY, _SHADE = "#1f3d5a", "#5b5b5b", "#eef1f4"
_BODY, _SMALL = 8.5, 7.0
_PICTURE_MM = 19.0
_LETTER_MM = 25.4 / 72


class _Page(fpdf.FPDF):
    """An A4 page with the survey's id and the page number at its foot."""

    def __init__(self, survey: str) -> None:
        super().__init__(orientation="portrait", unit="mm", format="A4")
        self.survey = survey
        self.core_fonts_encoding = "windows-1252"
        self.set_margins(_MARGIN, _MARGIN, _MARGIN)
        self.set_auto_page_break(auto=True, margin=_BOTTOM)

    @override
    def footer(self) -> None:
        self.set_y(-_BOTTOM + 5)
        self.set_font("Helvetica", size=_SMALL)
        self.set_text_color(_GREY)
        words = say("page", page=self.page_no(), pages="{nb}")
        self.cell(_WIDTH / 2, 4, printable(f"Serayu · {self.survey}"))
        self.cell(_WIDTH / 2, 4, printable(f"{words.id} · {words.en}"), align="R")


def pdf(content: Content, *, made: datetime) -> bytes:
    """Return the report.

    Parameters
    ----------
    content
        What it says.
    made
        Time written into the file, with zone; the same content and time give the same bytes.
    """
    page = _Page(content.survey)
    page.set_creation_date(made)
    page.set_title(printable(f"{say('title').id}: {', '.join(content.roads) or content.survey}"))
    page.set_lang("id")
    page.add_page()
    _head(page, content)
    _map(page, content)
    _segments(page, content)
    _slides(page, content)
    _findings(page, content)
    _method(page, content)
    _left_out(page, content)
    _heading(page, say("limits"))
    for words in content.limits:
        _paragraph(page, words)
    _paragraph(page, say("made_by"), size=_SMALL)
    return bytes(page.output())


def _head(page: _Page, content: Content) -> None:
    title = say("title")
    page.set_font("Helvetica", style="B", size=18)
    page.set_text_color("#1c1c1c")
    page.cell(text=printable(title.id), h=9)
    page.set_font("Helvetica", style="I", size=11)
    page.set_text_color(_GREY)
    page.cell(text=printable(f"  {title.en}"), h=9, new_x="LMARGIN", new_y="NEXT")
    roads = "; ".join(content.roads) or _one_line(content.no_roads)
    for name, value in ((Said("Ruas", "Road"), roads), (say("date"), _one_line(content.date))):
        _line(page, f"{_one_line(name)}: {value}", size=10, bold=name.id == "Ruas")
    _line(page, f"{_one_line(say('survey'))}: {content.survey}", size=_BODY)
    page.set_draw_color(_BLUE)
    page.set_line_width(0.8)
    page.line(_MARGIN, page.get_y() + 1, _MARGIN + _WIDTH, page.get_y() + 1)
    page.ln(3)
    _tiles(page, content)
    _paragraph(page, content.limits[0])


def _tiles(page: _Page, content: Content) -> None:
    wide, top = _WIDTH / len(content.tiles), page.get_y()
    for place, tile in enumerate(content.tiles):
        left = _MARGIN + place * wide
        page.set_draw_color("#c8ced4")
        page.set_line_width(0.2)
        page.rect(left, top, wide - 1.5, 17)
        page.set_xy(left + 1, top + 1)
        page.set_font("Helvetica", style="B", size=12)
        page.set_text_color("#1c1c1c")
        page.cell(wide - 3, 6, printable(tile.figure))
        for words, style, y in ((tile.words.id, "", 7.0), (tile.words.en, "I", 12.0)):
            page.set_xy(left + 1, top + y)
            page.set_font("Helvetica", style=style, size=6)
            page.set_text_color(_GREY)
            page.multi_cell(wide - 3, 2.4, printable(words), align="L")
    page.set_xy(_MARGIN, top + 19)


def _map(page: _Page, content: Content) -> None:
    _heading(page, say("map"))
    if content.map is None:
        _paragraph(page, say("map_none"))
    else:
        _draw(page, content.map)
    _draw(page, _class_legend(content))
    if content.segments:
        _draw(page, _strip_legend())
        _paragraph(page, say("map_note"), size=_SMALL)
    if len(content.findings) > MOST_NUMBERS:
        _paragraph(page, say("map_crowded", n=len(content.findings) + content.rows_left_out), size=_SMALL)


def _class_legend(content: Content) -> Drawing:
    marks: list[Mark] = []
    for place, one in enumerate(content.classes):
        x, y = 62.0 * (place % 3) + 3.0, 6.0 * (place // 3) + 3.0
        marks += symbol(one.sign, (x, y))
        marks.append(
            Label((x + 3.5, y), f"{_one_line(one.words)}: {one.n}", _BODY * 0.93 * _LETTER_MM, start=True)
        )
    return Drawing(_WIDTH, 6.0 * ((len(content.classes) + 2) // 3), tuple(marks))


def _strip_legend() -> Drawing:
    marks: list[Mark] = []
    shown = [
        *((meant(f"pavement.condition.{one.value}"), CONDITIONS[one]) for one in Condition),
        (say("map_unknown"), UNKNOWN),
    ]
    for place, (words, strip) in enumerate(shown):
        x, y = 62.0 * (place % 3), 5.0 * (place // 3) + 2.5
        marks.append(Line(((x, y), (x + 10, y)), strip.colour, 1.6, strip.dashes))
        marks.append(
            Label(
                (x + 11.5, y), f"{strip.letters} = {_one_line(words)}", _BODY * 0.93 * _LETTER_MM, start=True
            )
        )
    return Drawing(_WIDTH, 5.0 * ((len(shown) + 2) // 3), tuple(marks))


def _segments(page: _Page, content: Content) -> None:
    _heading(page, say("segments"))
    if not content.segments:
        _paragraph(page, content.no_segments)
        return
    _paragraph(page, say("segments_note"), size=_SMALL)
    names = ("sta", "surveyed", "things", "cracks", "potholes")
    header = [
        *(say(f"column.{one}") for one in names),
        Said("PCI"),
        Said("SDI"),
        say("column.condition"),
        say("column.missing"),
    ]
    rows = [
        (f"{row.ruas}\n{row.sta}", row.surveyed, row.findings, row.cracks, row.potholes, row.pci, row.sdi,
         f"{row.best.letters} – {row.worst.letters}: {_one_line(row.condition)}", row.missing)
        for row in content.segments
    ]  # fmt: skip
    _table(page, header, rows, widths=(24, 20, 14, 18, 18, 14, 16, 41, 17), right=(1, 2, 3, 4, 5, 6))
    _letters(page, content.segment_legend)


def _slides(page: _Page, content: Content) -> None:
    _heading(page, say("slides"))
    if not content.slides:
        _paragraph(page, content.slides_none)
        return
    header = [Said("No"), *(say(f"column.{one}") for one in ("where", "area", "edge", "slope", "position"))]
    rows = [
        (str(row.place), _one_line(row.where), row.area, _one_line(row.edge), row.slope, row.position)
        for row in content.slides
    ]
    _table(page, header, rows, widths=(10, 52, 36, 44, 18, 22), right=(0, 4, 5))
    _paragraph(page, say("slides_note"), size=_SMALL)


def _findings(page: _Page, content: Content) -> None:
    _heading(page, say("findings"))
    if not content.findings:
        _paragraph(page, say("findings_none"))
        return
    _paragraph(page, say("findings_note"), size=_SMALL)
    if content.pictures_left_out:
        _paragraph(page, say("pictures_left_out", n=content.pictures_left_out), size=_SMALL)
    if content.rows_left_out:
        _paragraph(page, say("rows_left_out", n=content.rows_left_out), size=_SMALL)
    names = ("picture", "what", "where", "sizes", "severity", "score", "position")
    header = [Said("No"), *(say(f"column.{one}") for one in names)]
    none = say("size.none")
    rows = [
        (
            str(row.place),
            row.picture,
            f"{row.sign.letter}: {_one_line(row.words)}",
            f"{_one_line(row.where)}\n{row.photo} ({row.photos})",
            "\n".join(f"{words.id}: {size}" for words, size in row.sizes) or _one_line(none),
            f"{_one_line(row.severity)}\n{row.reasons}".strip(),
            row.score,
            row.position,
        )
        for row in content.findings
    ]
    _table(page, header, rows, widths=(9, 26, 28, 36, 37, 22, 11, 13), right=(0, 6, 7))
    _letters(page, content.finding_legend)


def _method(page: _Page, content: Content) -> None:
    _heading(page, say("method"))
    rows = [
        (_one_line(fact.name), "\n".join(_one_line(one) for one in fact.values)) for fact in content.method
    ]
    for model in content.models:
        lines = [model.name, f"SHA-256 {model.sha256}"]
        if model.entry is not None:
            entry = model.entry
            lines.append(f"{_one_line(say('licence'))}: {entry.licence}")
            source = "" if model.threshold_source is None else f" ({_one_line(model.threshold_source)})"
            lines.append(f"{_one_line(say('threshold'))}: {number(entry.threshold, 3)}{source}")
        if model.restriction is not None:
            lines.append(f"{_one_line(say('restriction'))}: {_one_line(model.restriction)}")
        lines += [] if model.scores else [_one_line(say("accuracy_unknown"))]
        rows.append((_one_line(say("weights")), "\n".join(lines)))
    _table(page, None, rows, widths=(42, 140))
    for model in content.models:
        if model.scores:
            _paragraph(page, Said(f"{say('accuracy').id}: {model.name}", say("accuracy").en))
            header = [say("accuracy_domain"), *(Said(one) for one in ("n", "F1", "P", "R", "AP50"))]
            cells = [(one.domain, one.n, one.f1, one.precision, one.recall, one.ap50) for one in model.scores]
            _table(page, header, cells, widths=(57, 15, 45, 20, 20, 25), right=(1, 2, 3, 4, 5))
            _paragraph(page, say("accuracy_note"), size=_SMALL)


def _left_out(page: _Page, content: Content) -> None:
    _heading(page, say("left_out"))
    told = content.left_out
    if not told.problems and not told.reasons:
        _paragraph(page, say("left_out_none"))
    if told.reasons:
        reasons = [(_one_line(words), str(n)) for words, n in told.reasons]
        _table(page, [say("quality"), Said("n")], reasons, widths=(165, 17), right=(1,))
        page.ln(2)
    if told.problems:
        rows = [
            (one.unit, _one_line(one.words), "\n".join(_one_line(d) for d in one.details))
            for one in told.problems
        ]
        _table(page, None, rows, widths=(42, 60, 80))
    if told.more:
        _paragraph(page, say("left_out_more", n=told.more))


def _heading(page: _Page, words: Said) -> None:
    if page.get_y() > page.h - _BOTTOM - 30:
        page.add_page()
    page.ln(4)
    page.set_font("Helvetica", style="B", size=12)
    page.set_text_color(_BLUE)
    page.cell(text=printable(words.id), h=6)
    page.set_font("Helvetica", style="I", size=9)
    page.set_text_color(_GREY)
    page.cell(text=printable(f"  {words.en}"), h=6, new_x="LMARGIN", new_y="NEXT")
    page.set_draw_color(_BLUE)
    page.set_line_width(0.4)
    page.line(_MARGIN, page.get_y(), _MARGIN + _WIDTH, page.get_y())
    page.ln(2)


def _paragraph(page: _Page, words: Said, *, size: float = _BODY) -> None:
    for told, style, colour in ((words.id, "", "#1c1c1c"), (words.en, "I", _GREY)):
        if told:
            page.set_font("Helvetica", style=style, size=size)
            page.set_text_color(colour)
            page.multi_cell(
                _WIDTH, size * _LETTER_MM * 1.3, printable(told), new_x="LMARGIN", new_y="NEXT", align="L"
            )
    page.ln(1)


def _line(page: _Page, words: str, *, size: float, bold: bool = False) -> None:
    page.set_font("Helvetica", style="B" if bold else "", size=size)
    page.set_text_color("#1c1c1c")
    page.multi_cell(
        _WIDTH, size * _LETTER_MM * 1.35, printable(words), new_x="LMARGIN", new_y="NEXT", align="L"
    )


def _letters(page: _Page, legend: Iterable[tuple[str, Said]]) -> None:
    page.ln(1)
    for letter, words in legend:
        page.set_font("Helvetica", size=_SMALL)
        page.set_text_color("#333333")
        page.multi_cell(
            _WIDTH, 3.1, printable(f"{letter} = {_one_line(words)}"), new_x="LMARGIN", new_y="NEXT", align="L"
        )


def _draw(page: _Page, drawing: Drawing) -> None:
    if page.get_y() + drawing.height > page.h - _BOTTOM:
        page.add_page()
    on_page(drawing, page, left=_MARGIN, top=page.get_y())
    page.set_y(page.get_y() + drawing.height + 1.5)


def _table(
    page: _Page,
    header: Sequence[Said] | None,
    rows: Sequence[Sequence[str | bytes | None]],
    *,
    widths: tuple[float, ...],
    right: Sequence[int] = (),
) -> None:
    """Lay out a table; a cell is words, a JPEG, or nothing."""
    page.set_font("Helvetica", size=_SMALL + 0.3)
    page.set_text_color("#1c1c1c")
    page.set_draw_color("#d5dae0")
    page.set_line_width(0.2)
    with page.table(
        col_widths=widths,
        width=_WIDTH,
        align="LEFT",
        text_align=tuple("RIGHT" if place in right else "LEFT" for place in range(len(widths))),
        line_height=3.2,
        padding=0.8,
        borders_layout="HORIZONTAL_LINES",
        headings_style=FontFace(emphasis="BOLD", fill_color=_SHADE, size_pt=_SMALL - 0.3),
        first_row_as_headings=header is not None,
        v_align="TOP",
    ) as table:
        if header is not None:
            table.row([printable(f"{one.id}\n{one.en}".strip()) for one in header])
        for cells in rows:
            row = table.row(min_height=_PICTURE_MM if any(isinstance(one, bytes) for one in cells) else 0.0)
            for cell in cells:
                if isinstance(cell, bytes):
                    row.cell(img=io.BytesIO(cell), img_fill_width=False)
                else:
                    row.cell(printable(cell or ""))


def _one_line(words: Said) -> str:
    return f"{words.id} · {words.en}" if words.en else words.id
