"""The live stream: no alert is lost, whoever comes back with whatever it knew last."""

import contextlib
import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from serayu.api.stream import Stream
from serayu.models.access import Role
from serayu.models.siaga import Siaga
from tests.api.site import Site, site
from tests.servers import wait_for

UP = (Siaga.NORMAL, Siaga.WASPADA)
DOWN = (Siaga.WASPADA, Siaga.NORMAL)


@contextmanager
def listening(api: Site, role: str | None = None, **headers: str) -> Iterator[Iterator[tuple[str, str, Any]]]:
    """Listen; yields events as (name, id, data), comments as ("comment", "", text)."""
    with api.client(role) as client, client.stream("GET", "/api/v1/stream", headers=headers) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield _events(answer)


def _events(answer: httpx.Response) -> Iterator[tuple[str, str, Any]]:
    name, number, data = "", "", ""
    for line in answer.iter_lines():
        field, _, value = line.partition(": ")
        if line == "":
            if name:
                yield name, number, json.loads(data)
            name, number, data = "", "", ""
        elif field == "":
            yield "comment", "", value
        elif field == "event":
            name = value
        elif field == "id":
            number = value
        elif field == "data":
            data = value


def _take(events: Iterator[tuple[str, str, Any]], name: str) -> tuple[str, Any]:
    found = next(event for event in events if event[0] == name)
    return found[1], found[2]


def test_the_first_event_says_where_the_listener_stands(api: Site) -> None:
    number = api.change("hulu", *UP)
    with listening(api) as events:
        name, said, data = next(events)
    assert (name, said) == ("hello", str(number))
    assert data["version"] == api.get("/api/v1/stations").json()["version"]


def test_alerts_come_with_their_number_as_they_are_recorded(api: Site) -> None:
    with listening(api) as events:
        _take(events, "hello")
        number = api.change("hulu", *UP)
        said, change = _take(events, "alert")
        assert (int(said), change["station"], change["to"]) == (number, "hulu", "waspada")
        assert change["to_label"] == Siaga.WASPADA.label


def test_readings_come_for_the_stations_that_changed_only(api: Site) -> None:
    api.put("hulu", "stage", 1.0, age_s=100)
    with listening(api) as events:
        _take(events, "hello")
        api.put("hilir", "stage", 1.5, age_s=5)
        _, update = _take(events, "latest")
    assert [station["id"] for station in update["stations"]] == ["hilir"]
    assert update["stations"][0]["datastreams"][0]["value"] == 1.5


def test_the_stream_shows_no_field_to_the_public(api: Site) -> None:
    with listening(api) as public, listening(api, "dishub") as officer:
        _take(public, "hello")
        _take(officer, "hello")
        api.put("sawah-a", "soil-moisture", 41.0, age_s=5)
        _, update = _take(officer, "latest")
        assert [station["id"] for station in update["stations"]] == ["sawah-a"]
        api.put("hilir", "stage", 1.5, age_s=4)
        _, update = _take(public, "latest")
        assert [station["id"] for station in update["stations"]] == ["hilir"]


def test_a_listener_that_comes_back_gets_every_alert_it_missed_once_and_in_order(api: Site) -> None:
    with listening(api) as events:
        _take(events, "hello")
        first = api.change("hulu", *UP)
        assert _take(events, "alert")[0] == str(first)
    missed = [api.change("hulu", *(DOWN if n % 2 == 0 else UP)) for n in range(450)]  # more than one page
    with listening(api, **{"Last-Event-ID": str(first)}) as events:
        later: list[int] = []
        got: list[int] = []
        while len(got) < len(missed) + 1:
            name, number, _ = next(events)
            if name == "alert":
                got.append(int(number))
                if len(got) == 10:
                    later.append(api.change("hulu", *DOWN if len(missed) % 2 == 0 else UP))
    assert got == missed + later


def test_a_listener_that_lags_behind_the_memory_reads_on_from_the_register(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serayu.api.stream.REMEMBERED", 5)
    with site(tmp_path) as api, listening(api) as ahead:
        _take(ahead, "hello")
        numbers = [api.change("hulu", *(UP if n % 2 == 0 else DOWN)) for n in range(40)]
        assert [int(_take(ahead, "alert")[0]) for _ in numbers] == numbers
        with listening(api, **{"Last-Event-ID": str(numbers[0])}) as behind:
            assert [int(_take(behind, "alert")[0]) for _ in numbers[1:]] == numbers[1:]


def test_silence_is_broken_by_heartbeats(tmp_path: Path) -> None:
    with site(tmp_path, stream_heartbeat_s=0.05) as api, listening(api) as events:
        _take(events, "hello")
        assert next(events)[0] == "comment"
        assert next(events)[0] == "heartbeat"


@pytest.mark.parametrize("login", [False, True], ids=["by key", "by cookie"])
def test_revoking_a_key_ends_its_stream(tmp_path: Path, login: bool) -> None:  # noqa: FBT001 -- a table's column
    with site(tmp_path, stream_heartbeat_s=0.05) as api, api.client(None if login else "dishub") as client:
        if login:
            client.post("/login", data={"key": api.secrets["keys"]["dishub"]})
        with client.stream("GET", "/api/v1/stream") as answer, listening(api) as public:
            events = _events(answer)
            assert [next(events)[0] for _ in range(3)] == ["hello", "comment", "heartbeat"]
            (key,) = (key for key in api.register.keys("33.02") if key.role is Role.DISHUB)
            api.register.revoke_key(key.id, now_us=1)
            assert all(name in ("comment", "heartbeat") for name, _, _ in events)  # and no more
            number = api.change("hulu", *UP)
            assert _take(public, "alert")[0] == str(number)


def test_a_login_that_ends_ends_its_stream(tmp_path: Path) -> None:
    with site(tmp_path, stream_heartbeat_s=0.05, session_hours=3 / 3600) as api, api.client() as client:
        client.post("/login", data={"key": api.secrets["keys"]["dishub"]})
        with client.stream("GET", "/api/v1/stream") as answer:
            assert {name for name, _, _ in _events(answer)} <= {"hello", "comment", "heartbeat"}


def test_one_listener_too_many_is_told_when_to_come_back(tmp_path: Path) -> None:
    with site(tmp_path, stream_clients=1) as api, listening(api) as events:
        _take(events, "hello")
        refused = api.get("/api/v1/stream")
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "10")


def test_a_listener_that_knows_more_than_the_register_is_told_and_gets_what_comes(api: Site) -> None:
    """The register was restored from a backup, or made anew while a page stayed open."""
    newest = api.change("hulu", *UP)
    with listening(api, **{"Last-Event-ID": str(newest + 1000)}) as events:
        assert next(events)[:2] == ("hello", str(newest))
        assert next(events)[:2] == ("reset", str(newest))
        number = api.change("hulu", *DOWN)
        assert _take(events, "alert")[0] == str(number)


def test_a_listener_that_knows_exactly_the_newest_change_is_not_reset(api: Site) -> None:
    newest = api.change("hulu", *UP)
    with listening(api, **{"Last-Event-ID": str(newest)}) as events:
        assert next(events)[:2] == ("hello", str(newest))
        number = api.change("hulu", *DOWN)
        seen = next(event for event in events if event[0] in ("reset", "alert"))
        assert seen[:2] == ("alert", str(number))


def test_listeners_learn_that_the_register_went_back(api: Site) -> None:
    with listening(api) as events:
        _take(events, "hello")
        numbers = [api.change("hulu", *UP), api.change("hulu", *DOWN), api.change("hilir", *UP)]
        assert [int(_take(events, "alert")[0]) for _ in numbers] == numbers
        with contextlib.closing(sqlite3.connect(api.settings.data_dir / "register.sqlite")) as link, link:
            link.execute("DELETE FROM alert_change")
            link.execute("DELETE FROM alert")
            link.execute("DELETE FROM sqlite_sequence WHERE name = 'alert_change'")
        assert _take(events, "reset")[0] == "0"
        again = api.change("hulu", *UP)
        assert again <= numbers[-1]
        assert _take(events, "alert")[0] == str(again)


def test_a_defect_while_looking_is_logged_and_the_stream_goes_on(
    api: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    look, failed = Stream.look, threading.Event()

    async def look_badly_once(stream: Stream) -> None:
        if stream.clients and not failed.is_set():
            failed.set()
            raise ZeroDivisionError("a defect")
        await look(stream)

    monkeypatch.setattr(Stream, "look", look_badly_once)
    with listening(api) as events:
        _take(events, "hello")
        assert failed.wait(20)
        number = api.change("hulu", *UP)
        assert _take(events, "alert")[0] == str(number)
    wait_for(lambda: api.get("/readyz").status_code == 200, what="readiness")
    (record,) = [record for record in caplog.records if record.name == "serayu.api.stream"]
    assert record.exc_info is not None
    assert record.exc_info[0] is ZeroDivisionError


def test_a_stream_that_cannot_look_is_not_ready_and_sends_no_heartbeat(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def look(_stream: Stream) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr(Stream, "look", look)
    with site(tmp_path, stream_heartbeat_s=0.05) as api:
        wait_for(lambda: api.get("/readyz").status_code == 503, what="a look")
        assert api.get("/readyz").json()["checks"]["stream"] == {"ok": False}
        with listening(api) as events:
            assert [next(events)[0] for _ in range(4)] == ["hello", "comment", "comment", "comment"]


def test_a_dead_follower_is_not_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def die(_stream: Stream) -> None:
        """End at once."""

    monkeypatch.setattr(Stream, "follow", die)
    with site(tmp_path) as api:
        answer = api.get("/readyz")
        assert (answer.status_code, answer.json()["checks"]["stream"]) == (503, {"ok": False})


@pytest.mark.parametrize("last", ["x", "-1", "1" * 19, "٣"])
def test_an_id_that_this_stream_never_gave_is_refused(shared_api: Site, last: str) -> None:
    assert shared_api.get("/api/v1/stream", last_event_id=last).status_code == 422


def test_the_api_stops_while_somebody_listens(tmp_path: Path) -> None:
    with site(tmp_path) as api:
        client = api.client()
        answer = client.send(client.build_request("GET", "/api/v1/stream"), stream=True)
        assert next(_events(answer))[0] == "hello"
    # `site` has waited for the server's thread to end
    answer.close()
    client.close()
