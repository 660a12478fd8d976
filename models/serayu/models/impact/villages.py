"""Villages and where their people live, with the imported boundaries in place of the packaged ones."""

import csv
import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import shapely

from serayu.models.errors import BadInputError
from serayu.models.impact.layers import IMPORTED_VILLAGES, SETTLEMENTS, VILLAGES, Layer, read_layer
from serayu.models.impact.rows import SettlementRow, VillageRow
from serayu.models.plane import FloatArray, LocalPlane

KECAMATAN_TABLE = Path("layers") / "kecamatan.csv"
_KECAMATAN = slice(0, 8)  # of a village's code, e.g. 33.02.12


@dataclass(frozen=True, slots=True)
class Settlements:
    """Where people live: settlements, and whole villages where a village has a count but no settlements.

    Parameters
    ----------
    layer
        Figures in metres with their rows.
    village
        Index of each one's village, -1 where it lies in none, shape (n,).
    people, buildings
        Counts, NaN where nobody counted, shape (n,).
    """

    layer: Layer[SettlementRow]
    village: npt.NDArray[np.intp]
    people: FloatArray
    buildings: FloatArray


def read_villages(folder: Path, plane: LocalPlane) -> Layer[VillageRow] | None:
    """Return the villages: imported boundaries, with the counts and names of the packaged ones; None without any.

    Raises
    ------
    BadInputError
        A file is wrong, or a code is there twice; names file, feature and field.
    """
    packaged = read_layer(folder, VILLAGES, plane)
    imported = read_layer(folder, IMPORTED_VILLAGES, plane)
    for layer, spec in ((packaged, VILLAGES), (imported, IMPORTED_VILLAGES)):
        if layer is not None:
            _refuse_repeated(layer, folder / spec.file)
    if imported is None or packaged is None:
        only = packaged or imported
        return only if imported is None or only is None else _named(only, folder)
    told = {row.kode: row for row in packaged.rows}
    codes = {row.kode for row in imported.rows}
    rows = tuple(
        row
        if (known := told.get(row.kode)) is None
        else msgspec.structs.replace(
            known, nama=row.nama, source=row.source or "batas desa hasil impor (imported boundary)"
        )
        for row in imported.rows
    )
    extra = [index for index, row in enumerate(packaged.rows) if row.kode not in codes]
    figures = np.concatenate([imported.figures, packaged.figures[extra]])
    rows += tuple(packaged.rows[index] for index in extra)
    return _named(Layer.of(rows, figures, complete=imported.complete), folder)


def read_settlements(
    folder: Path, plane: LocalPlane, villages: Layer[VillageRow] | None
) -> Settlements | None:
    """Return where people live; None where nothing says it.

    A settlement belongs to the village that its ``desa`` names, else to the one it lies in. A village with a count
    and without settlements stands for itself: its people are taken to live evenly over it.

    Raises
    ------
    BadInputError
        The file is wrong, or ``desa`` names an unknown village; names file, feature and field.
    """
    layer = read_layer(folder, SETTLEMENTS, plane)
    rows: tuple[SettlementRow, ...] = () if layer is None else layer.rows
    figures = np.empty(0, dtype=object) if layer is None else layer.figures
    village = _village_of(rows, figures, villages, folder / SETTLEMENTS.file)
    if villages is not None:
        have = set(village.tolist())
        whole = [
            index
            for index, row in enumerate(villages.rows)
            if index not in have and (row.people is not None or row.buildings is not None)
        ]
        rows += tuple(_as_settlement(villages.rows[index]) for index in whole)
        figures = np.concatenate([figures, villages.figures[whole]])
        village = np.concatenate([village, np.array(whole, dtype=np.intp)])
    if not rows:
        return None
    merged = Layer.of(rows, figures, complete=layer is not None and layer.complete)
    return Settlements(
        merged, village, _counts([row.people for row in rows]), _counts([row.buildings for row in rows])
    )


def _refuse_repeated(layer: Layer[VillageRow], file: Path) -> None:
    seen: dict[str, int] = {}
    for row, village in enumerate(layer.rows, start=1):
        first = seen.setdefault(village.kode, row)
        if first != row:
            raise BadInputError(
                f"{village.kode!r} is there twice, first in row {first}", file=file, row=row, field="kode"
            )


def _named(layer: Layer[VillageRow], folder: Path) -> Layer[VillageRow]:
    """Fill in the names of districts from the imported table and from neighbours."""
    names = {row.kode[_KECAMATAN]: row.kecamatan for row in layer.rows if row.kecamatan}
    names = {**_kecamatan_table(folder / KECAMATAN_TABLE), **names}
    rows = tuple(
        row
        if row.kecamatan
        else msgspec.structs.replace(row, kecamatan=names.get(row.kode[_KECAMATAN]) or None)
        for row in layer.rows
    )
    return dataclasses.replace(layer, rows=rows)


def _kecamatan_table(file: Path) -> Mapping[str, str]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            return {row.get("kode") or "": row.get("nama") or "" for row in csv.DictReader(lines)}
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInputError(str(error), file=file) from None


def _village_of(
    rows: tuple[SettlementRow, ...],
    figures: npt.NDArray[np.object_],
    villages: Layer[VillageRow] | None,
    file: Path,
) -> npt.NDArray[np.intp]:
    found = np.full(len(rows), -1, dtype=np.intp)
    if villages is None or not rows:
        return found
    inside, within = villages.tree.query(shapely.point_on_surface(figures), predicate="intersects")
    found[inside[::-1]] = within[::-1]  # on a border: the first village
    index_of = {row.kode: index for index, row in enumerate(villages.rows)}
    for index, row in enumerate(rows):
        if row.desa is None:
            continue
        if row.desa not in index_of:
            raise BadInputError(f"unknown village {row.desa!r}", file=file, row=index + 1, field="desa")
        found[index] = index_of[row.desa]
    return found


def _as_settlement(village: VillageRow) -> SettlementRow:
    return SettlementRow(
        source=village.people_source or village.source or "?",
        invented=village.invented,
        name=village.nama,
        people=village.people,
        buildings=village.buildings,
        desa=village.kode,
    )


def _counts(values: list[int | None]) -> FloatArray:
    return np.array([np.nan if value is None else value for value in values], dtype=float)
