"""Run published test vectors against the project's functions.

    python -m tests.vectors PATH… [--base DIR] [--json] [--output FILE]

A vector is ``{id, fn, input, expected, tolerance, …}``; a file holds them in a list or under ``"vectors"``; a
folder stands for its ``*.json`` files. Only the keys in ``expected`` are compared, numbers within the
absolute tolerance. Exit status 0 when nothing failed, 1 when a vector failed, 2 on bad usage or a bad file. A
function that is not in the registry is counted apart and is no failure.
"""

import argparse
import json
import math
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.vector_adapters import REGISTRY, Adapter

OK, FAILED, BAD_USAGE = 0, 1, 2

Tolerance = float | Mapping[str, float]
"""Absolute; one for all keys, or one per key."""

# Rounding of decimal fractions (2.1 - 0.3) is no difference, not even at tolerance 0.
_ROUNDING = 1e-12


class BadVectorsError(Exception):
    """A vector file cannot be used; the message names the file and the reason."""


@dataclass(frozen=True, slots=True)
class Vector:
    """One test vector and where its file inputs lie."""

    id: str
    fn: str
    inputs: Mapping[str, Any]
    expected: Mapping[str, Any]
    tolerance: Tolerance
    base: Path


@dataclass(frozen=True, slots=True)
class Failure:
    """A vector whose result differs, or whose function raised."""

    id: str
    fn: str
    expected: Mapping[str, Any]
    actual: object
    error: str


@dataclass(slots=True)
class Tally:
    """Counts of one function."""

    passed: int = 0
    failed: int = 0
    not_implemented: int = 0


@dataclass(slots=True)
class Report:
    """What a run found."""

    fns: dict[str, Tally] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)

    def document(self) -> dict[str, object]:
        """The report as JSON has it."""
        totals = Tally(
            *(sum(getattr(tally, name) for tally in self.fns.values()) for name in asdict(Tally()))
        )
        return {
            "total": sum(asdict(totals).values()),
            **asdict(totals),
            "fns": {fn: asdict(tally) for fn, tally in sorted(self.fns.items())},
            "failures": [asdict(failure) for failure in self.failures],
        }


def load(path: Path, *, base: Path | None = None) -> Iterator[Vector]:
    """Read the vectors of a file, or of the JSON files of a folder."""
    if path.is_dir():
        files = sorted(path.glob("*.json"))
        if not files:
            raise BadVectorsError(f"{path}: no .json file in this folder")
        for file in files:
            yield from load(file, base=base)
        return
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise BadVectorsError(f"{path}: {exc.strerror or exc}") from exc
    except ValueError as exc:
        raise BadVectorsError(f"{path}: not JSON: {exc}") from exc
    rows = document.get("vectors") if isinstance(document, dict) else document
    if not isinstance(rows, list):
        raise BadVectorsError(f"{path}: expected a list of vectors, or an object with one under 'vectors'")
    for number, row in enumerate(rows, start=1):
        yield _vector(row, where=f"{path}: vector {number}", base=base or path.resolve().parent.parent)


def _vector(row: object, *, where: str, base: Path) -> Vector:
    if not isinstance(row, dict):
        raise BadVectorsError(f"{where}: expected an object, got {type(row).__name__}")
    for name, kind in (("id", str), ("fn", str), ("input", dict), ("expected", dict)):
        if not isinstance(row.get(name), kind):
            raise BadVectorsError(f"{where}: field {name!r} must be of type {kind.__name__}")
    tolerance = row.get("tolerance", 0)
    allowed = tolerance.values() if isinstance(tolerance, dict) else (tolerance,)
    if not all(_is_number(number) and number >= 0 for number in allowed):
        raise BadVectorsError(f"{where}: field 'tolerance' must be a number of 0 or more, or a table of them")
    return Vector(row["id"], row["fn"], row["input"], row["expected"], tolerance, base)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def difference(expected: object, actual: object, tolerance: Tolerance, path: str = "result") -> str | None:
    """Say where a result first differs from what is expected, or None.

    Numbers differ when they are farther apart than the tolerance; NaN equals NaN, null only null, a truth
    value only a truth value. Of objects only the expected keys count; lists have the same length and order.
    """
    if isinstance(expected, Mapping):
        return _first(_object_differences(expected, actual, tolerance, path))
    if isinstance(expected, list):
        return _first(_list_differences(expected, actual, tolerance, path))
    # keys that a table of tolerances does not name must agree
    allowed = tolerance if isinstance(tolerance, int | float) else 0.0
    same = _same_scalar(expected, actual, allowed)
    return None if same else f"{path}: expected {expected!r}, got {actual!r}"


def _first(differences: Iterator[str | None]) -> str | None:
    return next((found for found in differences if found), None)


def _object_differences(
    expected: Mapping[str, object], actual: object, tolerance: Tolerance, path: str
) -> Iterator[str | None]:
    if not isinstance(actual, Mapping):
        yield f"{path}: expected an object, got {actual!r}"
        return
    for key, value in expected.items():
        if key in actual:
            inner = tolerance.get(key, 0.0) if isinstance(tolerance, Mapping) else tolerance
            yield difference(value, actual[key], inner, f"{path}.{key}")
        else:
            yield f"{path}: {key!r} is missing"


def _list_differences(
    expected: list[object], actual: object, tolerance: Tolerance, path: str
) -> Iterator[str | None]:
    if not isinstance(actual, list | tuple):
        yield f"{path}: expected a list, got {actual!r}"
        return
    if len(expected) != len(actual):
        yield f"{path}: expected {len(expected)} items, got {len(actual)}"
        return
    for index, pair in enumerate(zip(expected, actual, strict=True)):
        yield difference(*pair, tolerance, f"{path}[{index}]")


def _same_scalar(expected: object, actual: object, tolerance: float) -> bool:
    if isinstance(expected, int | float) and isinstance(actual, int | float):
        if isinstance(expected, bool) or isinstance(actual, bool):
            return expected is actual
        if math.isnan(expected) or math.isinf(expected):
            return expected == actual or (math.isnan(expected) and math.isnan(actual))
        return abs(expected - actual) <= tolerance + _ROUNDING * max(1.0, abs(expected))
    return type(expected) is type(actual) and expected == actual


def run(vectors: Iterable[Vector], *, registry: Mapping[str, Adapter] = REGISTRY) -> Report:
    """Run vectors through a registry."""
    report = Report()
    for vector in vectors:
        tally = report.fns.setdefault(vector.fn, Tally())
        adapter = registry.get(vector.fn)
        if adapter is None:
            tally.not_implemented += 1
            continue
        failure = _check(vector, adapter)
        if failure is None:
            tally.passed += 1
        else:
            tally.failed += 1
            report.failures.append(failure)
    return report


def _check(vector: Vector, adapter: Adapter) -> Failure | None:
    inputs = {
        name: vector.base / value if name == "file" and isinstance(value, str) else value
        for name, value in vector.inputs.items()
    }
    try:
        actual = adapter(**inputs)
    except Exception as exc:  # noqa: BLE001 - whatever the function raises is this vector's failure
        return Failure(vector.id, vector.fn, vector.expected, None, f"{type(exc).__name__}: {exc}")
    error = difference(vector.expected, actual, vector.tolerance)
    if error is None:
        return None
    shown = {key: actual[key] for key in vector.expected if key in actual}
    return Failure(vector.id, vector.fn, vector.expected, shown, error)


def _write(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def _table(report: Report) -> str:
    document = report.document()
    lines = [f"{'function':34}{'passed':>8}{'failed':>8}{'not implemented':>17}"]
    lines += [
        f"{fn:34}{tally.passed:8}{tally.failed:8}{tally.not_implemented:17}"
        for fn, tally in sorted(report.fns.items())
    ]
    lines.append(f"{'total':34}{document['passed']:8}{document['failed']:8}{document['not_implemented']:17}")
    lines += [f"FAILED {failure.id} {failure.fn}: {failure.error}" for failure in report.failures]
    return "\n".join(lines)


def _complain(reason: str) -> int:
    sys.stderr.write(f"python -m tests.vectors: {reason}\n")
    return BAD_USAGE


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the vectors of some files and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.vectors", description="Run test vectors against the project."
    )
    parser.add_argument("paths", metavar="PATH", nargs="+", type=Path, help="vector files or folders of them")
    parser.add_argument(
        "--base", type=Path, metavar="DIR", help="where file inputs lie (default: above the vectors' folder)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the JSON document to a file")
    options = parser.parse_args(arguments)
    try:
        vectors = [vector for path in options.paths for vector in load(path, base=options.base)]
    except BadVectorsError as exc:
        return _complain(str(exc))
    report = run(vectors)
    # NaN is no JSON: a failure that holds one shows it as text.
    text = json.dumps(_jsonable(report.document()), indent=2, ensure_ascii=False, allow_nan=False)
    if options.output is not None:
        try:
            _write(options.output, text + "\n")
        except OSError as exc:
            return _complain(f"{options.output}: {exc.strerror or exc}")
    sys.stdout.write((text if options.json else _table(report)) + "\n")
    return FAILED if report.failures else OK


def _jsonable(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): _jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_jsonable(item) for item in value]
    return value if value is None or isinstance(value, str | int | float) else str(value)


if __name__ == "__main__":
    sys.exit(main())
