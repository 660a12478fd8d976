"""The long store in InfluxDB: 1.x, from 2.5, and 3 Core, by the endpoints that they share.

Writes go to ``/api/v2/write`` (1.x before 1.8 has only ``/write``), reads are InfluxQL on ``/query`` with
``Authorization: Token``: 2.x serves a bucket there as a database from 2.5 on, 3 Core serves both paths.
Sources: docs.influxdata.com/influxdb/v2/api/v1-compatibility and
docs.influxdata.com/influxdb3/core/write-data/http-api/compatibility-apis. What only some versions have is
avoided: Flux, ``epoch=us``, several statements in one query, ``SLIMIT``.

Importing this module imports influxdb_client, which takes about a second: do it where InfluxDB is configured.
"""

import re
import sys
from collections.abc import Sequence
from typing import Any, Self

import msgspec
import urllib3
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException

from serayu.models.errors import StoreError, StoreUnavailableError
from serayu.models.ports import Latest, Refusal
from serayu.models.quality.flags import QualityFlag
from serayu.models.reading import Bucket, Observation, SeriesKey
from serayu.models.stores.line_protocol import MAX_T_US, NS_PER_US, LineFormat, identifier, literal
from serayu.models.stores.trend import TREND_AT_MOST_US, TREND_OVER_US, trend_per_h, usable
from serayu.models.times import US_PER_MINUTE

LINES_PER_POST = 5000
ROWS_PER_QUERY = 10_000
TIMEOUT_S = 10.0
TREND_GROUP_US = 5 * US_PER_MINUTE
TREND_VALUES = (
    8  # values that one series may have between the newest and the oldest "half an hour ago" of a group
)
_NOT_FOUND = 404
_MAY_SPLIT = frozenset(
    {400, 413, 422}
)  # 1.x and 3 answer 400 to a bad line, 2.x also 422; 413 is too much at once
_TOO_LARGE = 413
# A 400 about a line, in the words of 1.x, 2.x and 3 Core; any other 400 is about the request, so about our
# settings.
_LINE_FAULT = re.compile(
    r"partial write|unable to parse|line protocol|field type|retention|outside range|dropped"
)
_DROPPED = re.compile(r"dropped=(\d+)")
_USABLE = '"flag" <> 4 AND "flag" <> 9'
_FIELDS = '"value", "tests", "late", "received", "oid", "seq"'
_BY_SERIES = 'GROUP BY "region", "station", "property"'


class _Series(msgspec.Struct):
    columns: list[str]
    tags: dict[str, str] = {}
    values: list[list[Any]] = []


class _Result(msgspec.Struct):
    series: list[_Series] = []
    error: str = ""


class _Answer(msgspec.Struct):
    results: list[_Result] = []
    error: str = ""


class InfluxStore:
    """Observations in one measurement of an InfluxDB database or bucket.

    Tags are region, station and property; fields value (absent for NaN), flag, tests, late, received, and oid
    and seq where the observation has an identity. A point that is written again overwrites, so that a revised
    flag is simply written once more. On 1.x a missing database is created; 3 Core does so itself; 2.x needs
    the bucket.

    Parameters
    ----------
    url, token, org, bucket
        Where to, and by what right; 1.x without authentication takes an empty token, 3 Core ignores the org.
    measurement
        Name of the measurement (table).
    timeout_s
        How long one request may take.
    latest_within
        How far back `latest` looks, as an InfluxQL span such as ``2d``; None for everything. 3 Core refuses
        queries over more than 432 files, which is about three days, unless it runs with a higher
        ``--query-file-limit``.
    """

    def __init__(
        self,
        url: str,
        token: str,
        org: str,
        bucket: str,
        *,
        measurement: str = "observation",
        timeout_s: float = TIMEOUT_S,
        latest_within: str | None = None,
    ) -> None:
        self._url = url
        self._org = org
        self._bucket = bucket
        self._from = f"FROM {identifier(measurement)}"
        self._format = LineFormat(measurement)
        self._recent = f"time >= now() - {latest_within}" if latest_within else "time >= 0"
        self._client: Any = InfluxDBClient(url=url, token=token, org=org, timeout=round(timeout_s * 1000))
        self._writer: Any = self._client.write_api(write_options=SYNCHRONOUS)
        self._only_v1 = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    # -- writing ---------------------------------------------------------------------------------------------

    def write(self, observations: Sequence[Observation]) -> Sequence[Refusal]:
        """Store observations, all but those returned (port `ObservationWriter`)."""
        line = self._format.line
        lines: list[str] = []
        kept: list[Observation] = []
        refusals: list[Refusal] = []
        for observation in observations:
            try:
                lines.append(line(observation))
            except ValueError as error:
                refusals.append(Refusal(observation, str(error)))
            else:
                kept.append(observation)
        for start in range(0, len(kept), LINES_PER_POST):
            end = start + LINES_PER_POST
            refusals += self._write_lines(kept[start:end], lines[start:end])
        return refusals

    def _write_lines(self, observations: Sequence[Observation], lines: Sequence[str]) -> list[Refusal]:
        """Write lines; where some are refused, halve until each of them is alone with its reason.

        InfluxDB stores the good lines beside a bad one, and names at most the first bad one. Writing good
        lines again changes nothing, writing the same mixture again would only be refused again.
        """
        reason = self._post("\n".join(lines).encode())
        if reason is None:
            return []
        dropped = _DROPPED.search(reason)
        if len(lines) == 1 or (dropped is not None and int(dropped[1]) == len(lines)):
            return [Refusal(observation, reason) for observation in observations]
        half = len(lines) // 2
        left = self._write_lines(observations[:half], lines[:half])
        return left + self._write_lines(observations[half:], lines[half:])

    def _post(self, body: bytes) -> str | None:
        """Post lines; return None when all are stored, else what InfluxDB says against one of them."""
        try:
            return self._post_once(body)
        except _MissingDatabaseError:
            self._request("/query", [("q", f"CREATE DATABASE {identifier(self._bucket)}")])
            return self._post_once(body)

    def _post_once(self, body: bytes) -> str | None:
        try:
            self._send_lines(body)
        except ApiException as error:
            text = _text(error)
            if error.status == _NOT_FOUND and not self._only_v1 and _complaint(error) is None:
                self._only_v1 = True  # the path is unknown: a server older than the v2 API
                return self._post_once(body)
            if error.status == _NOT_FOUND and self._only_v1 and "database not found" in text:
                raise _MissingDatabaseError(text) from error
            if error.status == _TOO_LARGE or (error.status in _MAY_SPLIT and _LINE_FAULT.search(text)):
                return text
            raise StoreUnavailableError(f"{self._url}: {error.status} {text}") from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise StoreUnavailableError(f"{self._url}: {error}") from error
        return None

    def _send_lines(self, body: bytes) -> None:
        if not self._only_v1:
            self._writer.write(self._bucket, self._org, body, "ns")
            return
        self._client.api_client.call_api(
            "/write",
            "POST",
            query_params=[("db", self._bucket), ("precision", "n")],
            header_params={"Content-Type": "text/plain; charset=utf-8"},
            body=body,
        )

    # -- reading ---------------------------------------------------------------------------------------------

    def window(
        self, key: SeriesKey, start_us: int, end_us: int, *, limit: int | None = None
    ) -> Sequence[Observation]:
        """Return the observations with ``start_us <= t < end_us`` in order of time, at most *limit*."""
        if limit is not None and limit < 0:
            raise ValueError(f"limit must not be negative, got {limit}")
        found: list[Observation] = []
        wanted = sys.maxsize if limit is None else limit
        while len(found) < wanted and start_us < end_us:
            page = min(wanted - len(found), ROWS_PER_QUERY)  # bounds memory, and a server's max-row-limit
            series = self._query(
                f'SELECT "flag", {_FIELDS} {self._from} WHERE {_where(key, start_us, end_us)}'
                f" ORDER BY time LIMIT {page}"
            )
            rows = series[0].values if series else []
            found += [_observation(key, row) for row in rows]
            if len(rows) < page:
                break
            start_us = found[-1].t_us + 1
        return found

    def latest(self, region: str | None = None) -> Sequence[Latest]:
        """Return the last observation of every datastream with its trend, in order of key.

        One query for the observations, one more for the trends of all that end within the same five minutes.
        """
        where = self._recent if region is None else f'{self._recent} AND "region" = {literal(region)}'
        found = self._query(f'SELECT last("flag"), {_FIELDS} {self._from} WHERE {where} {_BY_SERIES}')
        observations = [_observation(_key(series), series.values[0]) for series in found if series.values]
        trends = self._trends([observation for observation in observations if usable(observation)], region)
        observations.sort(key=lambda observation: observation.key)
        return [Latest(observation, trends.get(observation.key)) for observation in observations]

    def aggregate(self, key: SeriesKey, start_us: int, end_us: int, *, step_us: int) -> Sequence[Bucket]:
        """Return buckets aligned to multiples of *step_us*."""
        if step_us <= 0:
            raise ValueError(f"step_us must be positive, got {step_us}")
        if start_us >= end_us:
            return []
        found = self._query(
            f'SELECT count("value"), sum("value"), min("value"), max("value") {self._from}'
            f" WHERE {_where(key, start_us, end_us)} AND {_USABLE} GROUP BY time({step_us}u) fill(none)"
        )
        return [
            Bucket(time // NS_PER_US, count, total / count, float(low), float(high), float(total))
            for series in found
            for time, count, total, low, high in series.values
            if count
        ]

    def _trends(self, last: Sequence[Observation], region: str | None) -> dict[SeriesKey, float]:
        groups: list[list[Observation]] = []
        for observation in sorted(last, key=lambda observation: observation.t_us):
            if not groups or observation.t_us - groups[-1][0].t_us > TREND_GROUP_US:
                groups.append([])
            groups[-1].append(observation)
        return {key: trend for group in groups for key, trend in self._trends_of(group, region)}

    def _trends_of(self, group: Sequence[Observation], region: str | None) -> list[tuple[SeriesKey, float]]:
        """Return the trends of series that end within `TREND_GROUP_US`, given in order of time."""
        start_us, end_us = group[0].t_us - TREND_AT_MOST_US, group[-1].t_us - TREND_OVER_US
        where = f"time >= {_ns(start_us)} AND time <= {_ns(end_us)}"
        if region is not None:
            where += f' AND "region" = {literal(region)}'
        found = self._query(
            f'SELECT "value" {self._from} WHERE {where} AND {_USABLE} {_BY_SERIES}'
            f" ORDER BY time DESC LIMIT {TREND_VALUES}"
        )
        earlier = {_key(series): series.values for series in found}
        trends = []
        for observation in group:
            values = earlier.get(observation.key, [])
            before = _before(values, observation.t_us)
            if before is None and len(values) == TREND_VALUES:  # a faster series than the limit allows for
                before = self._before(observation)
            if before is not None:
                trends.append((observation.key, trend_per_h(observation, *before)))
        return trends

    def _before(self, last: Observation) -> tuple[int, float] | None:
        span = _where(last.key, last.t_us - TREND_AT_MOST_US, last.t_us - TREND_OVER_US + 1)
        found = self._query(
            f'SELECT "value" {self._from} WHERE {span} AND {_USABLE} ORDER BY time DESC LIMIT 1'
        )
        return _before(found[0].values, last.t_us) if found else None

    def _query(self, statement: str) -> list[_Series]:
        parameters = [("db", self._bucket), ("epoch", "ns")]
        answer = msgspec.json.decode(self._request("/query", [("q", statement)], parameters), type=_Answer)
        error = answer.error or next((result.error for result in answer.results if result.error), "")
        if "database not found" in error:
            return []  # nothing has been written yet
        if error:
            raise StoreError(f"{self._url}: {error}")
        return [series for result in answer.results for series in result.series]

    def _request(
        self, path: str, form: Sequence[tuple[str, str]], parameters: Sequence[tuple[str, str]] = ()
    ) -> bytes:
        try:
            response = self._client.api_client.call_api(
                path,
                "POST",
                query_params=list(parameters),
                header_params={
                    "Content-Type": "application/x-www-form-urlencoded",
                    "Accept": "application/json",
                },
                post_params=list(form),
                _preload_content=False,
                _return_http_data_only=True,
            )
            data: bytes = response.data
        except ApiException as error:
            kind = StoreError if error.status in _MAY_SPLIT else StoreUnavailableError
            raise kind(f"{self._url}: {error.status} {_text(error)}") from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise StoreUnavailableError(f"{self._url}: {error}") from error
        return data


class _MissingDatabaseError(StoreError):
    """InfluxDB 1.x has no database of that name."""


class _Complaint(msgspec.Struct):
    """The body of an error: 1.x and 3 Core say ``error``, 2.x ``message``."""

    error: str = ""
    message: str = ""
    data: Any = None


def _complaint(error: ApiException) -> _Complaint | None:
    """Return what InfluxDB says in JSON; None where it was something else that answered."""
    try:
        return msgspec.json.decode(error.body or b"", type=_Complaint)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _text(error: ApiException) -> str:
    said = _complaint(error)
    if said is None:
        return str(error.reason or error.status)
    lines = f" {msgspec.json.encode(said.data).decode()}" if said.data else ""
    return f"{said.error or said.message}{lines}"


def _ns(t_us: int) -> int:
    return max(-MAX_T_US, min(t_us, MAX_T_US)) * NS_PER_US


def _where(key: SeriesKey, start_us: int, end_us: int) -> str:
    region, station, slug = (literal(name) for name in key)
    tags = f'"region" = {region} AND "station" = {station} AND "property" = {slug}'
    return f"{tags} AND time >= {_ns(start_us)} AND time < {_ns(end_us)}"


def _key(series: _Series) -> SeriesKey:
    tags = series.tags
    return SeriesKey(tags["region"], tags["station"], tags["property"])


def _observation(key: SeriesKey, row: Sequence[Any]) -> Observation:
    time, flag, value, tests, late, received, oid, seq = row
    number = float("nan") if value is None else float(value)
    return Observation(
        key, time // NS_PER_US, number, QualityFlag(flag), tests, oid or "", seq or 0, received, bool(late)
    )


def _before(values: Sequence[Sequence[Any]], t_us: int) -> tuple[int, float] | None:
    """Return the newest value that a trend to *t_us* may start from, of some in falling order of time."""
    for time, value in values:
        before_us = time // NS_PER_US
        if before_us <= t_us - TREND_OVER_US:
            return (before_us, float(value)) if before_us >= t_us - TREND_AT_MOST_US else None
    return None
