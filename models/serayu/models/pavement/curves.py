"""Deduct and corrected-deduct curves of the pavement condition index, as polynomials.

The polynomials are Esri's fit to the charts of ASTM D6433 (package data with its notice). They dip near the ends of
their domain, so a curve here is the running maximum of its polynomial, clamped.
"""

import functools
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType
from typing import Any

import numpy as np

from serayu.models.plane import FloatArray

__all__ = [
    "MAX_DEDUCT",
    "Curve",
    "corrected_deduct",
    "corrected_deducts",
    "curves_of",
    "deduct_value",
    "distresses",
]

MAX_DEDUCT = 100.0
_DATA = ("data", "pavement", "pci_asphalt_coefficients.json")
_SEVERITIES = ("L", "M", "H")
_MAX_Q = 7  # from there on one curve [ASTM D6433, figure of corrected deduct values]
_MAX_TOTAL = 1000.0  # ten deducts of 100: more cannot be kept


@dataclass(frozen=True, slots=True)
class Curve:
    """Running maximum of a polynomial from the lower end of its domain; constant above the upper end.

    Parameters
    ----------
    coefficients
        Of the powers 0, 1, ….
    low, high
        Domain of the argument.
    turns
        Where the polynomial turns inside the domain, ascending.
    """

    coefficients: tuple[float, ...]
    low: float
    high: float
    turns: tuple[float, ...]

    @classmethod
    def of(cls, coefficients: list[float], *, low: float, high: float) -> "Curve":
        """Find where the polynomial turns."""
        slope = np.polynomial.Polynomial(coefficients).deriv()
        roots = slope.roots() if any(slope.coef) else np.empty(0)
        real = sorted(float(root.real) for root in roots if abs(root.imag) < 1e-9)  # noqa: PLR2004 -- rounding
        return cls(tuple(coefficients), low, high, tuple(root for root in real if low < root < high))

    def __call__(self, x: float) -> float:
        """Return the largest value of the polynomial between the lower end and x."""
        x = min(max(x, self.low), self.high)
        return max(self._value(at) for at in (self.low, x, *(turn for turn in self.turns if turn < x)))

    def at(self, x: FloatArray) -> FloatArray:
        """Return the same of many arguments, any shape."""
        x = np.clip(x, self.low, self.high)
        value = np.maximum(np.polynomial.polynomial.polyval(x, self.coefficients), self._value(self.low))
        for turn in self.turns:
            value = np.where(turn < x, np.maximum(value, self._value(turn)), value)
        return value

    def _value(self, x: float) -> float:
        value = 0.0
        for coefficient in reversed(self.coefficients):
            value = value * x + coefficient
        return value


def deduct_value(distress: str, severity: str, density_pct: float) -> float:
    """Return the deduct value of one distress at one severity.

    Below the domain of the fit (0.1 %; potholes 0.01 %) the deduct falls in proportion to the density, to 0 at none;
    above it (100 %; potholes 10 %) it stays. A higher severity never deducts less than a lower one: the fits cross by
    up to 0.2 points, rutting L and M at 100 % by 1.1 [all three: project proposal].

    Parameters
    ----------
    distress
        Name of a curve, see `distresses`.
    severity
        ``L``, ``M`` or ``H``.
    density_pct
        In the units of the chart: % of the area; length in ft per 100 ft²; potholes per 100 ft². Not negative.

    Returns
    -------
    float
        0-100.

    Raises
    ------
    ValueError
        No such curve, or the density is negative or no number.
    """
    curves = curves_of(distress)
    if severity not in curves:
        raise ValueError(
            f"no deduct curve for {distress} at severity {severity!r}: expected {', '.join(curves)}"
        )
    if not 0 <= density_pct < math.inf:
        raise ValueError(f"density must be a number not below 0, got {density_pct}")
    upto = [curve for name, curve in curves.items() if _SEVERITIES.index(name) <= _SEVERITIES.index(severity)]
    lowest = math.pow(10.0, upto[0].low)
    share = min(density_pct / lowest, 1.0)
    x = math.log10(max(density_pct, lowest))
    return share * min(max(0.0, *(curve(x) for curve in upto)), MAX_DEDUCT)


def corrected_deduct(total: float, q: int) -> float:
    """Return the corrected deduct value (CDV) of a total of deducts.

    Parameters
    ----------
    total
        Sum of the deducts, not negative.
    q
        How many of them exceed 2; at least 1, from 7 on one curve serves.

    Returns
    -------
    float
        0 to the smaller of 100 and the total.

    Raises
    ------
    ValueError
        The total is negative or no number, or q is below 1.
    """
    if not 0 <= total < math.inf:
        raise ValueError(f"total of deducts must be a number not below 0, got {total}")
    if q < 1:
        raise ValueError(f"q must be at least 1, got {q}")
    return min(max(_table().corrected[min(q, _MAX_Q)](total), 0.0), MAX_DEDUCT, total)


def corrected_deducts(totals: FloatArray, q: int) -> FloatArray:
    """Return `corrected_deduct` of many totals, any shape; they are not checked."""
    return np.clip(_table().corrected[min(q, _MAX_Q)].at(totals), 0.0, np.minimum(MAX_DEDUCT, totals))


def distresses() -> tuple[str, ...]:
    """Return the names of the distresses that have curves."""
    return tuple(_table().deduct)


def curves_of(distress: str) -> Mapping[str, Curve]:
    """Return the curves of a distress by severity, ascending; their argument is log10 of the density.

    Raises
    ------
    ValueError
        No such distress.
    """
    try:
        return _table().deduct[distress]
    except KeyError:
        raise ValueError(
            f"no deduct curve for {distress!r}: expected one of {', '.join(distresses())}"
        ) from None


@dataclass(frozen=True, slots=True)
class _Table:
    deduct: Mapping[str, Mapping[str, Curve]]
    corrected: Mapping[int, Curve]


@functools.cache
def _table() -> _Table:
    text = resources.files("serayu.models").joinpath(*_DATA).read_text("utf-8")
    data: dict[str, Any] = json.loads(text)
    domains = data["recommended_domain"]
    deduct: dict[str, Mapping[str, Curve]] = {}
    for distress, rows in data["deduct"].items():
        low, high = (math.log10(end) for end in domains.get(distress, domains["area_linear"]))
        deduct[distress] = MappingProxyType(
            {name: Curve.of(rows[name], low=low, high=high) for name in _SEVERITIES if name in rows}
        )
    corrected = {int(q): Curve.of(row, low=0.0, high=_MAX_TOTAL) for q, row in data["cdv_asphalt"].items()}
    return _Table(MappingProxyType(deduct), MappingProxyType(corrected))
