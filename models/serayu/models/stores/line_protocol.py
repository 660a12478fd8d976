"""Observations as InfluxDB line protocol, and names as InfluxQL text.

Line protocol: docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol. Times go in nanoseconds: the default of
every version, and the only fine precision that all of them take (1.x says ``u``, 2.x ``us``). Two observations one
microsecond apart stay two.
"""

import re

import msgspec

from serayu.models.reading import Observation, SeriesKey

NS_PER_US = 1000
MAX_T_US = 9_223_372_036_854_775  # InfluxDB's times are 64 bit nanoseconds
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_TAG_SPECIAL = str.maketrans({",": r"\,", "=": r"\=", " ": r"\ "})
_TEXT_SPECIAL = str.maketrans({"\\": r"\\", '"': r"\""})
_MEASUREMENT_SPECIAL = str.maketrans({",": r"\,", " ": r"\ "})
_LITERAL_SPECIAL = str.maketrans({"\\": r"\\", "'": r"\'", "\n": r"\n"})


class LineFormat:
    """Formats observations of one measurement; remembers the escaped form of every datastream's name."""

    def __init__(self, measurement: str) -> None:
        self._measurement = measurement.translate(_MEASUREMENT_SPECIAL)
        self._heads: dict[SeriesKey, str] = {}
        self._oids: dict[str, str] = {}

    def line(self, observation: Observation) -> str:
        r"""Return one line, without a newline; NaN leaves the value out, as does false ``late``.

        Raises
        ------
        ValueError
            Line protocol cannot carry it: an infinite value, or a name that is empty, ends in a backslash (nothing
            can escape it) or has control characters.

        Examples
        --------
        >>> key = SeriesKey("33.02", "bgs hulu", "stage")
        >>> print(LineFormat("observation").line(Observation(key, 5, float("nan"))))
        observation,property=stage,region=33.02,station=bgs\ hulu flag=1i,tests=0i,received=0i 5000
        """
        key, t_us, value, flag, tests, oid, seq, received_us, late = msgspec.structs.astuple(observation)
        head = self._heads.get(key)
        if head is None:
            head = self._heads[key] = self._head(key)
        if value - value == 0:  # finite; str() because numpy's repr names its type
            field = f"value={value!s},"
        elif value != value:  # noqa: PLR0124 -- NaN
            field = ""
        else:
            raise ValueError("the value is infinite")
        was_late = ",late=t" if late else ""  # left out where false: every field costs the server
        identity = f',oid="{self._oids.get(oid) or self._oid(oid)}",seq={seq}i' if oid else ""
        was_late = (
            ",late=t" if late else ""
        )  # left out where false: every field costs the server as much as a point
        return f"{head}{field}flag={flag:d}i,tests={tests}i{was_late},received={received_us}i{identity} {t_us}000"

    def _head(self, key: SeriesKey) -> str:
        for name in key:
            if not name or name.endswith("\\") or _CONTROL.search(name):
                raise ValueError(
                    f"{name!r} cannot be a tag: empty, control characters, or a backslash at its end"
                )
        region, station, slug = (name.translate(_TAG_SPECIAL) for name in key)
        # Tags in order of name: InfluxDB sorts them otherwise.
        return f"{self._measurement},property={slug},region={region},station={station} "

    def _oid(self, oid: str) -> str:
        escaped = self._oids[oid] = oid.translate(_TEXT_SPECIAL)
        return escaped


def literal(text: str) -> str:
    r"""Return a text as an InfluxQL string literal.

    Examples
    --------
    >>> print(literal("Pak 'Wir'"))
    'Pak \'Wir\''
    """
    return f"'{text.translate(_LITERAL_SPECIAL)}'"


def identifier(text: str) -> str:
    """Return a text as an InfluxQL identifier."""
    return '"' + text.translate(_TEXT_SPECIAL).replace("\n", r"\n") + '"'
