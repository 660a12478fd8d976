"""What InfluxStore says to servers of each version, and how it takes their answers.

Debian's InfluxDB 1.6.7 is run for real here and in the contract test. Nobody packages 2.x and 3 Core for pip, npm or
Debian, so their answers are played by a local HTTP server, in the words of their sources (influxdata/influxdb,
branches 2.7 and main).
"""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from typing_extensions import override

from serayu.models.errors import StoreError, StoreUnavailableError
from serayu.models.reading import Observation, SeriesKey
from serayu.models.stores.influx import InfluxStore
from serayu.models.stores.line_protocol import LineFormat, identifier
from tests import servers

KEY = SeriesKey("33.02", "bgs-hulu", "stage")
T0 = 1_700_000_000_000_000
STORY = [Observation(KEY, T0 + i, float(i), received_us=5) for i in range(8)]


class Request(NamedTuple):
    path: str
    parameters: dict[str, list[str]]
    headers: dict[str, str]
    body: str


class Played:
    """A server that answers as told and remembers what it was asked."""

    def __init__(self) -> None:
        self.answer: Callable[[Request], tuple[int, str]] = lambda _: (204, "")
        self.requests: list[Request] = []
        played = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                split = urlsplit(self.path)
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                request = Request(split.path, parse_qs(split.query), dict(self.headers), body)
                played.requests.append(request)
                status, text = played.answer(request)
                self.send_response(status)
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            @override
            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def played() -> Iterator[Played]:
    played = Played()
    thread = threading.Thread(target=played.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield played
    played.server.shutdown()
    thread.join()
    played.server.server_close()


@pytest.fixture
def store(played: Played) -> Iterator[InfluxStore]:
    with InfluxStore(played.url, "s3cret", "org é", "bucket/one & two") as store:
        yield store


def bad_lines(*numbers: int, status: int, text: str) -> Callable[[Request], tuple[int, str]]:
    """Answer that lines with these values are bad."""

    def answer(request: Request) -> tuple[int, str]:
        bad = any(f" value={number}.0," in request.body for number in numbers)
        return (status, text) if bad else (204, "")

    return answer


# -- 2.x and 3 Core, played -------------------------------------------------------------------------------------------


def test_lines_go_to_the_v2_endpoint_with_token_bucket_org_and_nanoseconds(
    played: Played, store: InfluxStore
) -> None:
    assert list(store.write(STORY)) == []
    (request,) = played.requests
    assert request.path == "/api/v2/write"
    assert request.headers["Authorization"] == "Token s3cret"
    assert request.parameters == {"org": ["org é"], "bucket": ["bucket/one & two"], "precision": ["ns"]}
    lines = request.body.split("\n")
    assert len(lines) == 8
    assert lines[3] == (
        "observation,property=stage,region=33.02,station=bgs-hulu"
        " value=3.0,flag=1i,tests=0i,received=5i 1700000000000003000"
    )


def test_queries_carry_the_token_the_database_and_one_statement(played: Played, store: InfluxStore) -> None:
    played.answer = lambda _: (200, '{"results":[{"statement_id":0}]}')
    store.window(KEY, 0, 1)
    store.latest("33.02")
    store.aggregate(KEY, 0, 1, step_us=1)
    assert len(played.requests) == 3
    for request in played.requests:
        assert request.path == "/query"
        assert request.headers["Authorization"] == "Token s3cret"
        assert request.parameters == {"db": ["bucket/one & two"], "epoch": ["ns"]}
        assert ";" not in parse_qs(request.body)["q"][0]


INFLUX_2_PARTIAL = json.dumps(
    {
        "code": "unprocessable entity",
        "message": "failure writing points to database: partial write: field type conflict: input field"
        ' "value" on measurement "observation" is type float, already exists as type string dropped=1',
    }
)
INFLUX_2_PARSE = json.dumps({"code": "invalid", "message": "unable to parse 'x': missing fields"})
INFLUX_3_PARTIAL = json.dumps(
    {
        "error": "partial write of line protocol occurred",
        "data": [{"original_line": "x", "line_number": 2, "error_message": "invalid column type"}],
    }
)


@pytest.mark.parametrize(
    ("status", "text", "words"),
    [
        pytest.param(422, INFLUX_2_PARTIAL, "field type conflict", id="2.x type conflict"),
        pytest.param(400, INFLUX_2_PARSE, "unable to parse", id="2.x parse"),
        pytest.param(400, INFLUX_3_PARTIAL, "invalid column type", id="3 core"),
    ],
)
@pytest.mark.parametrize("numbers", [(0,), (7,), (3,), (2, 5), (0, 1, 2, 3, 4, 5, 6, 7)])
def test_the_bad_lines_of_a_partial_write_are_found_and_the_rest_is_stored(
    played: Played, store: InfluxStore, status: int, text: str, words: str, numbers: tuple[int, ...]
) -> None:
    played.answer = bad_lines(*numbers, status=status, text=text)
    refusals = store.write(STORY)
    assert [refusal.observation for refusal in refusals] == [STORY[number] for number in numbers]
    assert all(words in refusal.reason for refusal in refusals)
    bodies = [request.body for request in played.requests]
    assert len(set(bodies)) == len(bodies), "a refused batch was sent again as it was"


def test_a_batch_that_is_too_large_is_halved(played: Played, store: InfluxStore) -> None:
    played.answer = lambda request: (413, "") if request.body.count("\n") > 1 else (204, "")
    assert list(store.write(STORY)) == []
    accepted = [line for r in played.requests if r.body.count("\n") <= 1 for line in r.body.split("\n")]
    assert len(accepted) == len(set(accepted)) == 8


def test_one_line_that_is_too_large_is_refused(played: Played, store: InfluxStore) -> None:
    played.answer = lambda _: (413, "")
    assert [refusal.observation for refusal in store.write(STORY[:1])] == STORY[:1]


@pytest.mark.parametrize(
    ("status", "text"),
    [
        pytest.param(
            400, '{"code":"invalid","message":"Please provide either orgID or org"}', id="bad request"
        ),
        pytest.param(401, '{"code":"unauthorized","message":"unauthorized access"}', id="wrong token"),
        pytest.param(
            403, '{"code":"forbidden","message":"insufficient permissions"}', id="token for another"
        ),
        pytest.param(404, '{"code":"not found","message":"bucket \\"b\\" not found"}', id="no bucket on 2.x"),
        pytest.param(408, "", id="timeout"),
        pytest.param(429, '{"code":"too many requests","message":"slow down"}', id="rate"),
        pytest.param(500, '{"code":"internal error","message":"disk"}', id="internal"),
        pytest.param(503, "<html>proxy</html>", id="proxy"),
    ],
)
def test_what_is_not_the_lines_fault_refuses_no_line(
    played: Played, store: InfluxStore, status: int, text: str
) -> None:
    """An operator can put it right, so nothing may be given up."""
    played.answer = lambda _: (status, text)
    with pytest.raises(StoreUnavailableError, match=str(status)):
        store.write(STORY)
    assert len(played.requests) == 1
    played.answer = lambda _: (204, "")
    assert list(store.write(STORY)) == []


def test_an_old_server_is_asked_for_the_v2_endpoint_once(played: Played, store: InfluxStore) -> None:
    played.answer = lambda r: (404, "404 page not found\n") if r.path.startswith("/api") else (204, "")
    store.write(STORY[:1])
    store.write(STORY[1:2])
    assert [request.path for request in played.requests] == ["/api/v2/write", "/write", "/write"]
    assert played.requests[-1].parameters == {"db": ["bucket/one & two"], "precision": ["n"]}
    assert played.requests[-1].headers["Authorization"] == "Token s3cret"


@pytest.mark.parametrize(
    ("status", "text", "error"),
    [
        pytest.param(400, '{"error":"error parsing query"}', StoreError, id="query refused"),
        pytest.param(200, '{"results":[{"error":"timeout"}]}', StoreError, id="error within the answer"),
        pytest.param(401, '{"error":"unable to parse authentication"}', StoreUnavailableError, id="token"),
        pytest.param(503, "", StoreUnavailableError, id="away"),
    ],
)
def test_an_error_of_a_query_is_a_store_error(
    played: Played, store: InfluxStore, status: int, text: str, error: type[StoreError]
) -> None:
    played.answer = lambda _: (status, text)
    with pytest.raises(error):
        store.latest()


def test_latest_may_be_bounded_for_servers_that_limit_files(played: Played) -> None:
    played.answer = lambda _: (200, '{"results":[]}')
    with InfluxStore(played.url, "t", "o", "b", latest_within="2d") as store:
        assert list(store.latest()) == []
    assert "time >= now() - 2d" in parse_qs(played.requests[0].body)["q"][0]


def test_a_port_where_nobody_listens_is_unavailable() -> None:
    with InfluxStore(f"http://127.0.0.1:{servers.free_port()}", "t", "o", "b") as store:
        with pytest.raises(StoreUnavailableError):
            store.write(STORY)
        with pytest.raises(StoreUnavailableError):
            store.latest()


@pytest.mark.parametrize("name", ["", "ends in \\", "new\nline", "tab\t", "nul\x00"])
@pytest.mark.parametrize("part", range(3))
def test_a_name_that_cannot_be_a_tag_is_refused_beside_good_ones(
    played: Played, store: InfluxStore, name: str, part: int
) -> None:
    names = ["a", "b", "c"]
    names[part] = name
    bad = Observation(SeriesKey(*names), T0, 1.0)
    (refusal,) = store.write([STORY[0], bad, STORY[1]])
    assert refusal.observation == bad
    assert "cannot be a tag" in refusal.reason
    assert len(played.requests[0].body.split("\n")) == 2


def test_a_measurement_and_identifiers_are_escaped() -> None:
    assert LineFormat("a b,c").line(STORY[0]).startswith("a\\ b\\,c,property=")
    assert identifier('a "b\\') == '"a \\"b\\\\"'


# -- 1.6.7, real ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Server]:
    with servers.influxd(tmp_path_factory.mktemp("influx"), databases=()) as server:
        yield server


def query(server: servers.Server, database: str, statement: str) -> list[list[float]]:
    answer = httpx.get(f"{server.url}/query", params={"db": database, "q": statement, "epoch": "ns"})
    values: list[list[float]] = answer.json()["results"][0]["series"][0]["values"]
    return values


@pytest.mark.servers
def test_a_missing_database_is_created_once_there_is_something_to_write(real: servers.Server) -> None:
    name = 'new "one" é'
    with InfluxStore(real.url, "", "", name) as store:
        assert list(store.latest()) == []
        assert list(store.write(STORY)) == []
    assert query(real, name, 'SELECT count("value") FROM "observation"') == [[0, 8]]


@pytest.mark.servers
def test_a_real_type_conflict_refuses_only_the_lines_that_conflict(real: servers.Server) -> None:
    httpx.post(f"{real.url}/query", params={"q": "CREATE DATABASE conflict"}).raise_for_status()
    line = 'observation,station=x seq="a text" 1700000000000000000'
    httpx.post(f"{real.url}/write", params={"db": "conflict"}, content=line).raise_for_status()
    named = [Observation(KEY, T0 + 100 + i, 1.0, oid="a1", seq=i) for i in range(3)]
    mixed = [STORY[0], named[0], STORY[1], STORY[2], named[1], named[2], STORY[3]]
    with InfluxStore(real.url, "", "", "conflict") as store:
        refusals = store.write(mixed)
        assert [refusal.observation for refusal in refusals] == named
        assert all("field type conflict" in refusal.reason for refusal in refusals)
        assert list(store.window(KEY, 0, 2 * T0)) == STORY[:4]


@pytest.mark.servers
def test_a_batch_wholly_beyond_the_retention_policy_is_refused_at_once(real: servers.Server) -> None:
    statement = 'CREATE DATABASE "brief" WITH DURATION 1d'
    httpx.post(f"{real.url}/query", params={"q": statement}).raise_for_status()
    with InfluxStore(real.url, "", "", "brief") as store:
        refusals = store.write(STORY)
        assert [refusal.observation for refusal in refusals] == STORY
        assert "retention policy" in refusals[0].reason


@pytest.mark.servers
def test_a_server_that_hangs_is_unavailable(tmp_path: Path) -> None:
    with (
        servers.influxd(tmp_path) as server,
        InfluxStore(server.url, "", "", "serayu") as store,
        InfluxStore(server.url, "", "", "serayu", timeout_s=0.2) as hasty,
    ):
        store.write(STORY[:1])
        server.suspend()
        with pytest.raises(StoreUnavailableError):
            hasty.write(STORY)
        with pytest.raises(StoreUnavailableError):
            hasty.latest()
        server.resume()
        servers.wait_for(lambda: len(store.latest()) == 1, what="InfluxDB")
        assert list(store.write(STORY)) == []
        assert list(store.window(KEY, 0, 2 * T0)) == STORY


@pytest.mark.servers
def test_trends_of_a_fast_station_beside_slow_ones_are_exact(real: servers.Server) -> None:
    """More values than one grouped query fetches for a series: it is asked for by itself."""
    fast, slow = SeriesKey("33.02", "fast", "stage"), SeriesKey("33.02", "slow", "stage")
    second, minute = 1_000_000, 60_000_000
    story = [Observation(fast, T0 - i * second, -i / 1800) for i in range(2400)]
    story += [Observation(slow, T0 + 4 * minute - i * 10 * minute, float(-i)) for i in range(6)]
    with InfluxStore(real.url, "", "", "trends") as store:
        store.write(story)
        assert [one.trend_per_h for one in store.latest()] == pytest.approx([2.0, 6.0])
