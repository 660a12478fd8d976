"""Starting: settings and secrets, the first keys, the replay's clock, the command line."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from serayu.api import cli, keys_cli
from serayu.api.advice import advice
from serayu.api.limiter import FailureLimiter
from serayu.api.server import base_url
from serayu.api.sessions import Session, Sessions, keep_secret
from serayu.api.settings import ApiSettings
from serayu.api.views import datastream_view, station_view
from serayu.models.errors import BadInputError, SerayuError
from serayu.models.ports import Latest
from serayu.models.quality.flags import QualityFlag
from serayu.models.reading import Observation, SeriesKey
from serayu.models.region import load_region
from serayu.models.station import Datastream
from serayu.models.texts import text
from serayu.models.times import US_PER_DAY, US_PER_HOUR, US_PER_MINUTE, US_PER_S, parse_rfc3339, wib
from tests.api.site import Site, now_us, running, site, write_region

RUN = CliRunner()


@pytest.mark.parametrize(
    "changes",
    [
        {"session_secret": ""},
        {"session_secret": "changeme"},
        {"session_secret": "x" * 31},
        {"register_url": "postgresql://serayu:postgres@db/serayu"},
        {"register_url": "postgresql://serayu@db/serayu"},
    ],
)
def test_production_refuses_published_secrets(tmp_path: Path, changes: dict[str, str]) -> None:
    ApiSettings(region=tmp_path, profile="development", **changes)  # type: ignore[arg-type]
    with pytest.raises(ValidationError):
        ApiSettings(region=tmp_path, profile="production", **changes)  # type: ignore[arg-type]


def test_a_refusal_does_not_repeat_the_secret(tmp_path: Path) -> None:
    with pytest.raises(BadInputError) as caught:
        cli.settings_from(region=tmp_path, profile="production", session_secret="hunter2")  # noqa: S106 -- a bad one
    assert "hunter2" not in str(caught.value)


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SERAYU_API_REGION", str(tmp_path))
    monkeypatch.setenv("SERAYU_API_CLOCK", "replay")
    settings = cli.settings_from(port=0)
    assert (settings.region, settings.clock, settings.port) == (tmp_path, "replay", 0)
    with pytest.raises(BadInputError, match="SERAYU_API_CLOCK"):
        cli.settings_from(clock="sundial")


def test_the_first_run_writes_one_key_a_role_for_the_owner_only(api: Site) -> None:
    file = api.settings.data_dir / "keys.json"
    assert file.stat().st_mode & 0o777 == 0o600
    written = json.loads(file.read_text())
    assert set(written["keys"]) == {"crew", "dishub", "farmer", "operator", "public"}
    assert set(written["fields"]) == {"sawah-a", "sawah-b"}
    stored = (api.settings.data_dir / "register.sqlite").read_bytes()
    assert not any(secret.encode() in stored for secret in written["keys"].values())


def test_a_second_run_makes_no_keys(tmp_path: Path) -> None:
    with site(tmp_path) as first:
        written = first.secrets
        settings = first.settings
    with running(settings) as url:
        assert json.loads((settings.data_dir / "keys.json").read_text()) == written
        headers = {"X-API-Key": written["keys"]["dishub"]}
        assert httpx.get(f"{url}/api/v1/stations", headers=headers).status_code == 200


@pytest.mark.parametrize("wrong", ["proxy.example", "10.0.0.0/40", "127.0.0.1,,10.0.0.1", "10.0.0.1/8"])
def test_a_trusted_proxy_is_an_address_or_a_network(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(ValidationError, match="trusted_proxies"):
        ApiSettings(region=tmp_path, trusted_proxies=wrong)


def test_a_secret_that_others_may_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "session.key"
    secret = keep_secret(file)
    assert (len(secret), file.stat().st_mode & 0o777) == (64, 0o600)
    assert keep_secret(file) == secret
    file.chmod(0o644)
    with pytest.raises(BadInputError, match="others may read"):
        keep_secret(file)
    file.chmod(0o600)
    file.write_text("")
    with pytest.raises(BadInputError, match="too short"):
        keep_secret(file)


def test_a_session_ends_when_its_time_is_over() -> None:
    sessions = Sessions(b"x" * 32)
    cookie = sessions.cookie("key", until_us=1000)
    session = sessions.read(cookie, now_us=999)
    assert session is not None
    assert session[:2] == ("key", 1000)
    assert sessions.read(cookie, now_us=1000) is None
    assert Sessions(b"y" * 32).read(cookie, now_us=999) is None
    assert not sessions.csrf_holds(session, Sessions(b"y" * 32).csrf(session))
    assert not sessions.csrf_holds(Session("key", 1000, "other"), sessions.csrf(session))


def test_failures_are_forgotten_when_their_window_has_passed() -> None:
    now = [0.0]
    limiter = FailureLimiter(allowed=2, window_s=10, clock=lambda: now[0])
    limiter.fail("a")
    limiter.fail("a")
    with pytest.raises(SerayuError):
        limiter.fail("a")
    limiter.fail("b")
    now[0] = 10.0
    limiter.fail("a")


def test_before_the_first_reading_of_a_replay_the_present_is_the_computers(tmp_path: Path) -> None:
    with site(tmp_path, clock="replay") as api:
        said = api.get("/api/v1/stations").json()
    assert said["newest"] is None
    assert now_us() - US_PER_DAY < parse_rfc3339(said["time"]) < now_us() + US_PER_DAY


def test_in_a_replay_the_present_is_the_newest_reading(tmp_path: Path) -> None:
    with site(tmp_path, clock="replay") as api:
        api.put("hulu", "stage", 3.5, age_s=20 * 365 * 86400)
        api.put("hilir", "stage", 1.0, age_s=20 * 365 * 86400 - 120)
        answer = api.get("/api/v1/stations").json()
        streams = {s["id"]: s["datastreams"][0] for s in answer["stations"]}
        assert (streams["hilir"]["age_s"], streams["hilir"]["value"]) == (0.0, 1.0)
        # Each put looks at the clock: the tests' own slowness lies between the readings.
        assert (streams["hulu"]["age_s"], streams["hulu"]["value"]) == (pytest.approx(120, abs=60), 3.5)
        page = api.get("/api/v1/stations/hilir/observations", property="stage").json()
        assert [row["value"] for row in page["observations"]] == [1.0]
        api.put("hilir", "stage", 1.1, age_s=20 * 365 * 86400 - 3600)
        later = {s["id"]: s["datastreams"][0] for s in api.get("/api/v1/stations").json()["stations"]}
        assert (later["hulu"]["stale"], later["hulu"]["age_s"]) == (True, pytest.approx(3600, abs=60))


# -- command line -----------------------------------------------------------------------------------------------------


def _keys(folder: Path, *arguments: str) -> tuple[int, dict, str]:  # type: ignore[type-arg]
    region = folder / "region"
    if not region.exists():
        write_region(region)
    (folder / "data").mkdir(exist_ok=True)
    where = ["--region", str(region), "--data", str(folder / "data"), "--json"]
    done = RUN.invoke(keys_cli.app, [*arguments, *where])
    return done.exit_code, json.loads(done.stdout) if done.stdout else {}, done.stderr


def test_keys_for_a_wrong_folder_are_not_made(tmp_path: Path) -> None:
    write_region(tmp_path / "region")
    where = ["--region", str(tmp_path / "region"), "--data", str(tmp_path / "nowhere")]
    done = RUN.invoke(keys_cli.app, ["create", "--role", "crew", *where])
    assert (done.exit_code, "no data here" in done.stderr) == (2, True)
    assert not (tmp_path / "nowhere").exists()


def test_a_key_is_made_listed_without_its_secret_and_revoked(tmp_path: Path) -> None:
    code, made, _ = _keys(tmp_path, "create", "--role", "farmer", "--station", "sawah-a", "--name", "Bu Tani")
    assert (code, made["role"], made["stations"], made["revoked"]) == (0, "farmer", ["sawah-a"], None)
    assert made["secret"].startswith("sry_")
    _, listed, _ = _keys(tmp_path, "list")
    assert [key["name"] for key in listed["keys"]] == ["Bu Tani"]
    assert made["secret"] not in json.dumps(listed)
    code, revoked, _ = _keys(tmp_path, "revoke", made["id"])
    assert (code, revoked["revoked"] is not None) == (0, True)


def test_a_field_link_is_printed_once_and_opens_the_page(tmp_path: Path) -> None:
    code, made, _ = _keys(tmp_path, "create", "--field", "--station", "sawah-b")
    assert code == 0
    with site(tmp_path) as api:
        assert "Sawah B" in api.get(made["links"][0]["path"]).text
        _keys(tmp_path, "revoke", made["links"][0]["id"])
        assert api.get(made["links"][0]["path"]).status_code == 404


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["create"], "--role"),
        (["create", "--role", "farmer"], "own stations"),
        (["create", "--role", "dishub", "--station", "hulu"], "only a farmer"),
        (["create", "--role", "farmer", "--station", "atlantis"], "atlantis"),
        (["create", "--field"], "station"),
        (["create", "--field", "--station", "hulu"], "not a field"),
        (["revoke", "nobody"], "nobody"),
    ],
)
def test_bad_usage_is_one_line_and_status_2(tmp_path: Path, arguments: list[str], said: str) -> None:
    code, _, error = _keys(tmp_path, *arguments)
    assert (code, len(error.splitlines())) == (2, 1)
    assert said in error


def test_openapi_needs_neither_region_nor_stores() -> None:
    done = RUN.invoke(cli.app, ["openapi"])
    assert done.exit_code == 0
    assert "/api/v1/alerts" in json.loads(done.stdout)["paths"]


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_run_serves_until_stopped_and_logs_json_lines_without_tokens(
    tmp_path: Path, stop: signal.Signals
) -> None:
    region, data = write_region(tmp_path / "region"), tmp_path / "data"
    arguments = ["run", "--region", str(region), "--data", str(data), "--port", "0"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SERAYU_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "serayu.api", *arguments], stderr=subprocess.PIPE, text=True, env=environment
    )
    try:
        assert process.stderr is not None
        lines = []
        for line in process.stderr:
            lines.append(line)
            if line.startswith("Serayu: "):
                break
        url = lines[-1].removeprefix("Serayu: ").strip()
        link = json.loads((data / "keys.json").read_text())["fields"]["sawah-a"]
        assert httpx.get(url + link.lstrip("/"), timeout=20).status_code == 200
        process.send_signal(stop)
        rest = process.stderr.read()
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
        if process.stderr is not None:
            process.stderr.close()
    logged = [json.loads(line) for line in rest.splitlines()]
    assert "/sawah/{token}" in [line.get("route") for line in logged]
    assert link not in rest
    assert "Traceback" not in rest


def test_run_with_a_wrong_region_is_one_line(tmp_path: Path) -> None:
    done = RUN.invoke(cli.app, ["run", "--region", str(tmp_path / "nowhere"), "--data", str(tmp_path)])
    assert done.exit_code == 2
    assert "no such region folder" in done.stderr


@pytest.mark.parametrize(
    ("host", "url"),
    [("127.0.0.1", "http://127.0.0.1:1"), ("0.0.0.0", "http://127.0.0.1:1"), ("::", "http://[::1]:1")],  # noqa: S104
)
def test_the_url_names_an_address_that_can_be_opened(host: str, url: str) -> None:
    assert base_url(host, 1) == url


# -- the farmer's sentence --------------------------------------------------------------------------------------------

NOW = 20_000 * US_PER_DAY


@pytest.mark.parametrize(
    ("moisture", "rain", "key"),
    [
        pytest.param(None, None, "no_data", id="nothing"),
        pytest.param((40.0, QualityFlag.GOOD, 0.0), None, "part_missing", id="no rain gauge reading"),
        pytest.param((40.0, QualityFlag.SUSPECT, 0.0), 0.0, "suspect", id="suspect"),
        pytest.param((40.0, QualityFlag.FAIL, 0.0), 0.0, "part_missing", id="failed"),
        pytest.param((40.0, QualityFlag.GOOD, None), 0.0, "part_missing", id="no trend yet"),
        pytest.param((40.0, QualityFlag.GOOD, 0.0), 0.9, "steady", id="not a rain day"),
        pytest.param((40.0, QualityFlag.GOOD, -0.49), 0.0, "steady", id="almost drying"),
        pytest.param((40.0, QualityFlag.GOOD, -0.5), 0.0, "drying", id="drying"),
        pytest.param((40.0, QualityFlag.GOOD, 0.5), 0.0, "wetting", id="wetting"),
    ],
)
def test_the_sentence_says_what_the_readings_say(
    tmp_path: Path, moisture: tuple[float, QualityFlag, float | None] | None, rain: float | None, key: str
) -> None:
    station = load_region(write_region(tmp_path / "region")).station("sawah-a")
    latest = {}
    if moisture is not None:
        value, flag, trend = moisture
        latest["soil-moisture"] = Latest(Observation(station.key("soil-moisture"), NOW, value, flag), trend)
    if rain is not None:
        latest["rain"] = Latest(Observation(station.key("rain"), NOW, rain), None)
    view = station_view(station, latest, now_us=NOW + US_PER_S, active=None, totals={})
    assert advice(view) == text(f"farmer.advice.{key}")


def test_after_rain_the_sentence_names_the_depth_and_since_when_it_is_known(tmp_path: Path) -> None:
    with site(tmp_path) as api:
        api.put("sawah-a", "soil-moisture", 41.0)
        since_us = api.put("sawah-a", "rain", 12.5) - US_PER_MINUTE
        said = text("farmer.advice.rained_since", mm="12,5", time=wib(since_us))
        assert said in api.get(api.secrets["fields"]["sawah-a"]).text


def test_a_clock_behind_the_device_gives_no_negative_age() -> None:
    stream = Datastream("stage")
    observation = Observation(SeriesKey("33.02", "a", "stage"), NOW + US_PER_HOUR, 1.0)
    assert datastream_view(stream, Latest(observation, None), now_us=NOW).age_s == 0.0


def test_the_command_line_loads_server_and_stores_only_when_it_runs() -> None:
    code = "import sys, serayu.api.cli; print('uvicorn' in sys.modules, 'sqlalchemy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["False", "False"]
