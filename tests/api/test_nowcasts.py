"""BMKG's nowcast beside our alerts: joined to stations that a caller sees, attributed, never expired or fatal."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from serayu.api.nowcasts import LOOK_EVERY_S, Nowcasts
from serayu.models.cap.folder import FILES_AT_MOST, is_stale, read_folder, signature
from serayu.models.times import US_PER_HOUR, US_PER_S, from_us
from serayu.standalone.cli import app
from tests.api.site import Site, now_us, site
from tests.shared import shared

MADE = Path(__file__).parents[1] / "data" / "cap" / "nowcast.xml"
LIST = MADE.with_suffix(".rss")


def cap(*, identifier: str = "x.1", hours: float = 1.0, begun_h: float = 0.5, polygon: str = "") -> bytes:
    """Return the made-up nowcast, moved to the present; its first polygon holds hulu's place."""
    text = MADE.read_text("utf-8")
    start, end = (
        from_us(now_us() + round(hour * US_PER_HOUR)).astimezone().strftime("%Y-%m-%dT%H:%M:%S+00:00")
        for hour in (-begun_h, hours)
    )
    replaced = (
        text.replace("2026-02-16T22:00:00+07:00", start)
        .replace("2026-02-17T01:00:00+07:00", end)
        .replace("2.49.0.1.360.99.2026.02.16.16.45.005", identifier)
        .replace("uji@bmkg.invalid", "uji@bmkg.go.id")
    )
    given = "-7.400,109.100 -7.400,109.300 -7.600,109.300 -7.600,109.100 -7.400,109.100"
    assert given in replaced
    return replaced.replace(given, polygon or given).encode()


@pytest.fixture(name="weather")
def _weather(tmp_path: Path) -> Iterator[tuple[Site, Path]]:
    """An api that is told where nowcasts lie; the folder is not there yet."""
    place = tmp_path / "bmkg"
    with site(tmp_path, nowcast_path=place) as made:
        yield made, place


def test_without_a_place_there_are_none_and_nothing_is_said(api: Site) -> None:
    assert api.get("/api/v1/nowcasts").json()["configured"] is False
    assert "BMKG" not in api.get("/peringatan").text
    assert api.get("/readyz").json()["checks"]["nowcasts"] == {"ok": True, "configured": False}


def test_an_active_nowcast_is_joined_to_our_stations(tmp_path: Path) -> None:
    place = tmp_path / "bmkg"
    place.mkdir()
    (place / "now.xml").write_bytes(cap())
    (place / "old.xml").write_bytes(cap(identifier="x.2", hours=-0.1, begun_h=3))
    (place / "elsewhere.xml").write_bytes(
        cap(identifier="x.3", polygon="-6.0,106.0 -6.0,106.1 -6.1,106.1 -6.0,106.0")
    )
    with site(tmp_path, nowcast_path=place) as api:
        document = api.get("/api/v1/nowcasts").json()
        assert (document["attribution"], document["stale"], document["newest_min"]) == ("BMKG", False, 0)
        (one,) = document["nowcasts"]
        assert (one["identifier"], one["attribution"], one["age_min"]) == ("x.1", "BMKG", 30)
        assert one["stations"] == ["hilir", "hulu", "simpang-a"]  # fields are not the public's
        assert one["expires"] > one["effective"]
        assert "sawah-a" not in json.dumps(document)
        with_field = api.get("/api/v1/nowcasts", "operator").json()["nowcasts"][0]["stations"]
        assert set(with_field) >= {"hulu"}
        assert api.get("/api/v1/nowcasts", station="hujan-a").json()["nowcasts"] == []
        assert len(api.get("/api/v1/nowcasts", station="hulu").json()["nowcasts"]) == 1
        page = api.get("/peringatan").text
        assert "BMKG: Hujan uji di daerah uji" in page
        assert "Sumber: BMKG" in page
        assert "Dikeluarkan 30 menit lalu." in page
        assert "Pos Hulu" in page
        assert "Pos Hilir &lt;i&gt;" in page
        assert "<script" not in page


def test_a_bad_file_is_named_and_the_others_are_shown(tmp_path: Path) -> None:
    place = tmp_path / "bmkg"
    place.mkdir()
    (place / "good.xml").write_bytes(cap())
    (place / "half.xml").write_bytes(cap()[:300])
    (place / "big.xml").write_bytes(b" " * (2 * 1024 * 1024))
    (place / "notes.txt").write_text("not looked at")
    with site(tmp_path, nowcast_path=place) as api:
        assert len(api.get("/api/v1/nowcasts").json()["nowcasts"]) == 1
        ready = api.get("/readyz")
        assert ready.status_code == 200
        found = ready.json()["checks"]["nowcasts"]
        assert set(found["refused"]) == {"half.xml", "big.xml"}
        assert (found["files"], found["stale"]) == (3, False)
    result = CliRunner().invoke(
        app, ["doctor", "--nowcasts", str(place), "--region", str(tmp_path / "region"), "--json"]
    )
    named = [one for one in json.loads(result.output)["checks"] if one["check"] == "nowcasts"]
    assert [one["ok"] for one in named] == [False]
    assert "half.xml" in named[0]["detail"]


def test_a_place_that_is_not_there_yet_is_no_fault_of_the_api(weather: tuple[Site, Path]) -> None:
    api, place = weather
    assert api.get("/api/v1/nowcasts").json() == {
        "configured": True, "attribution": "BMKG", "stale": True, "newest_min": None, "nowcasts": [],
    }  # fmt: skip
    ready = api.get("/readyz")
    assert ready.status_code == 200
    assert list(ready.json()["checks"]["nowcasts"]["refused"]) == [place.name]
    assert api.get("/peringatan").status_code == 200


def test_files_are_read_again_when_they_change_and_not_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    present = [100.0]
    monkeypatch.setattr("serayu.api.nowcasts.time.monotonic", lambda: present[0])
    keeper = Nowcasts(tmp_path, stale_after_s=60)
    first = keeper.folder()
    assert first is not None
    assert first.alerts == ()
    (tmp_path / "a.xml").write_bytes(cap())
    assert keeper.folder() is first
    present[0] += LOOK_EVERY_S
    second = keeper.folder()
    assert second is not None
    assert len(second.alerts) == 1
    present[0] += LOOK_EVERY_S
    assert keeper.folder() is second


def test_the_age_of_the_files_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_bytes(cap())
    os.utime(tmp_path / "a.xml", (1_800_000_000, 1_800_000_000))
    folder = read_folder(tmp_path)
    now = (1_800_000_000 + 3600) * US_PER_S
    assert not is_stale(folder, now_us=now, after_s=3600)
    assert is_stale(folder, now_us=now + US_PER_S, after_s=3600)
    assert is_stale(read_folder(tmp_path / "empty"), now_us=now, after_s=3600)


def test_the_list_names_what_is_not_here(tmp_path: Path) -> None:
    (tmp_path / "list.rss").write_bytes(LIST.read_bytes())
    folder = read_folder(tmp_path)
    assert (folder.alerts, folder.refused, folder.files) == ((), {}, 1)
    assert folder.not_here  # the list has an alert for Jawa Tengah
    (tmp_path / "a.xml").write_bytes(cap(identifier=folder.not_here[0]))
    assert folder.not_here[0] not in read_folder(tmp_path).not_here


def test_one_file_is_a_place_too_and_of_very_many_the_newest_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_bytes(cap())
    assert len(read_folder(tmp_path / "a.xml").alerts) == 1
    for number in range(FILES_AT_MOST + 3):
        (tmp_path / f"n{number}.xml").write_bytes(b"")
        os.utime(tmp_path / f"n{number}.xml", (1_700_000_000 + number, 1_700_000_000 + number))
    names = {name for name, _, _ in signature(tmp_path)}
    assert len(names) == FILES_AT_MOST
    assert "a.xml" in names
    assert "n0.xml" not in names


@pytest.mark.shared
def test_the_files_of_bmkg_itself_are_read(tmp_path: Path) -> None:
    folder = read_folder(shared("domain", "cap", "bmkg"))
    assert folder.refused == {}
    assert (len(folder.alerts), folder.files) == (2, 3)
    assert {alert.sender.rpartition("@")[2] for alert in folder.alerts} == {"bmkg.go.id"}
    with site(tmp_path, nowcast_path=shared("domain", "cap", "bmkg")) as api:
        document = api.get("/api/v1/nowcasts").json()
        assert document["nowcasts"] == []  # of February 2026: expired
        assert api.get("/readyz").json()["checks"]["nowcasts"]["files"] == 3
