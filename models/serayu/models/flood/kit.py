"""What live use needs beside a fitted model: how its inputs are cleaned and laid in rows, and when to warn."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from serayu.models.flood.build import GaugeLimits
from serayu.models.flood.clean import LevelLimits
from serayu.models.flood.policy import WarningPolicy
from serayu.models.reading import SeriesKey

__all__ = ["Kit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    """How a post's table is made and judged, as it was at the fit.

    Parameters
    ----------
    step_us, phase_us
        Distance of rows, and the time of a row modulo it.
    keys
        Datastream of each name that the table uses: the post, the posts above it, the gauges.
    levels
        Quality control of the post, then of the posts above it, nearest first.
    gauges
        The same of the gauges.
    rules
        When to warn of waspada, siaga and awas, in this order.
    fitted_us, learnt_from, shown, coverage
        As in `serayu.models.flood.shelf.ModelCard`: *shown* are the hours of the horizons that may be shown.
    """

    step_us: int
    phase_us: int
    keys: Mapping[str, SeriesKey]
    levels: Mapping[str, LevelLimits]
    gauges: Mapping[str, GaugeLimits]
    rules: tuple[WarningPolicy, ...]
    fitted_us: int
    learnt_from: str
    shown: tuple[float, ...]
    coverage: tuple[float | None, ...]

    def plain(self) -> dict[str, Any]:
        """Return it as values that JSON has (and infinity)."""
        return asdict(self)

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> "Kit":
        """Return it from what `plain` gave and JSON kept.

        Raises
        ------
        KeyError, TypeError, ValueError
            Something else.
        """
        return cls(
            step_us=int(plain["step_us"]),
            phase_us=int(plain["phase_us"]),
            keys={name: SeriesKey(*key) for name, key in plain["keys"].items()},
            levels={name: LevelLimits(**limits) for name, limits in plain["levels"].items()},
            gauges={name: GaugeLimits(**limits) for name, limits in plain["gauges"].items()},
            rules=tuple(
                WarningPolicy(**{**rule, "horizons": tuple(rule["horizons"])}) for rule in plain["rules"]
            ),
            fitted_us=int(plain["fitted_us"]),
            learnt_from=str(plain["learnt_from"]),
            shown=tuple(plain["shown"]),
            coverage=tuple(plain["coverage"]),
        )
