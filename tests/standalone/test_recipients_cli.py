"""``serayu recipients`` and ``serayu privacy``: masked everywhere but in what is for the person."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from serayu.models.delivery.delivery import Attempt, DeliveryState
from serayu.models.delivery.desk import DeliveryDesk
from serayu.models.delivery.inbound import SECRET_FILE, inbound_secret
from serayu.models.delivery.settings import DeliverySettings
from serayu.models.stores.register import Register
from serayu.models.stores.register.database import sqlite_url
from serayu.models.stores.register.vault import KEY_FILE, Vault
from serayu.standalone.cli import app
from tests.models.delivery.story import ACTUAL, ALERT, NOON_US

REGION_TOML = 'code = "99.01"\nname = "Uji"\nsource = "test"\n'
STATIONS = """{"type": "FeatureCollection", "features": [{"type": "Feature",
  "geometry": {"type": "Point", "coordinates": [109.2, -7.5]}, "properties": {"id": "hulu", "name": "Hulu",
  "kind": "river", "source": "test", "datastreams": [{"property": "stage"}]}}]}"""
NUMBER = "0812-0000-0001"
Run = Callable[..., dict[str, Any]]


@pytest.fixture(name="place")
def _place(tmp_path: Path) -> list[str]:
    (tmp_path / "data").mkdir()
    (tmp_path / "region.toml").write_text(REGION_TOML)
    (tmp_path / "stations.geojson").write_text(STATIONS)
    return ["--region", str(tmp_path), "--data", str(tmp_path / "data")]


@pytest.fixture(name="run")
def _run(place: list[str]) -> Run:
    def run(*words: str, text: str | None = None) -> dict[str, Any]:
        done = CliRunner().invoke(app, [*words, *place, "--json"], input=text)
        assert done.exit_code == 0, done.output
        document: dict[str, Any] = json.loads(done.stdout)
        return document

    return run


def refused(place: list[str], *words: str, text: str | None = None) -> str:
    done = CliRunner().invoke(app, [*words, *place], input=text)
    assert done.exit_code == 2
    return done.stderr


def test_a_number_is_shown_masked_and_told_after_opting_in(run: Run) -> None:
    added = run(
        "recipients", "add", "sms", "-", "--name", "Warga", "--audience", "public", text=f"{NUMBER}\n"
    )
    assert (added["address"], added["may_be_told"], added["secret"]) == ("+628********01", False, None)
    done = run("recipients", "opt-in", NUMBER, "--source", "formulir 12")
    assert [(one["action"], one["source"]) for one in done["consents"]] == [("in", "formulir 12")]
    (listed,) = run("recipients", "list")["recipients"]
    assert listed["opted_in"] is not None
    assert "0000" not in json.dumps([listed["address"], done["recipients"][0]["address"]])


def test_a_webhook_gets_a_secret_that_is_shown_once(run: Run) -> None:
    added = run(
        "recipients", "add", "webhook", "https://dishub.example/a?key=1", "--name", "Dishub", "--step", "1"
    )
    assert len(added["secret"]) >= 43
    (listed,) = run("recipients", "list")["recipients"]
    assert (listed["address"], listed["step"]) == ("https://dishub.example/…", 1)
    assert "secret" not in listed


def test_every_option_of_a_recipient_is_kept(run: Run) -> None:
    added = run(
        *("recipients", "add", "apprise", "mailto://u:p@bpbd.example", "--name", "BPBD", "--language", "en"),
        *("--hazard", "flood", "--lowest", "awas", "--station", "hulu", "--quiet", "22:00-04:30"),
    )
    kept = {name: added[name] for name in ("languages", "hazards", "lowest", "stations", "quiet", "address")}
    assert kept == {
        "languages": ["en"],
        "hazards": ["flood"],
        "lowest": "awas",
        "stations": ["hulu"],
        "quiet": {"start_min": 1320, "end_min": 270},
        "address": "mailto://…",
    }


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("add", "sms", "halo", "--name", "x"), "not a phone number"),
        (("add", "sms", "-", "--name", "x"), "expected a number"),
        (("add", "webhook", "dishub.example", "--name", "x"), "https://"),
        (("add", "apprise", "dishub.example", "--name", "x"), "apprise URL"),
        (("add", "log", "x", "--name", "x", "--lowest", "normal"), "waspada, siaga, awas"),
        (("add", "log", "x", "--name", "x", "--language", "fr"), "'fr'"),
        (("add", "log", "x", "--name", "x", "--station", "lain"), "'lain'"),
        (("add", "log", "x", "--name", "x", "--quiet", "22-4"), "not a time of day"),
        (("stop", NUMBER, "--source", "sms"), "no recipient"),
        (("add", "webhook", "http://127.0.0.1:9099/x", "--name", "x"), "--allow-private"),
        (("add", "webhook", "http://localhost/x", "--name", "x"), "--allow-private"),
        (("add", "webhook", "https://[::ffff:10.0.0.1]/x", "--name", "x"), "--allow-private"),
        (("add", "apprise", "json://u:p@192.168.1.9/x", "--name", "x"), "--allow-private"),
        (("gateway", "sms", "json://10.1.2.3/{number}"), "--allow-private"),
        (("gateway", "log", "json://x/{number}"), "no gateway"),
        (("gateway", "sms", "json://x/"), "{number}"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(place: list[str], words: tuple[str, ...], reason: str) -> None:
    said = refused(place, "recipients", *words, text="\n")
    assert reason in said
    assert len(said.splitlines()) == 1
    assert "0000" not in said


def shown(place: list[str], *words: str) -> str:
    done = CliRunner().invoke(app, ["recipients", *words, *place])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_the_list_says_who_is_not_told_and_why(run: Run, place: list[str]) -> None:
    public = ("--audience", "public", "--name", "Warga")
    added = run("recipients", "add", "sms", NUMBER, *public)
    assert added["not_told"] == "not-opted-in"
    assert "NOT OPTED IN, not told" in shown(place, "list")
    again = refused(place, "recipients", "add", "sms", NUMBER, *public, "--opt-in", "formulir 12")
    assert f"serayu recipients opt-in {added['id']}" in again
    assert "0000" not in again.replace(added["id"], "")
    run("recipients", "opt-in", added["id"], "--source", "formulir 12")
    assert "NO GATEWAY, not told" in shown(place, "list")
    shown(place, "gateway", "sms", "json://10.1.2.3/{number}", "--allow-private")
    assert "opted in" in shown(place, "list")
    assert "not told" not in shown(place, "list")
    run("recipients", "stop", added["id"], "--source", "surat")
    assert "stopped" in shown(place, "list", "--all")


def test_a_receiver_in_the_building_is_taken_when_it_is_allowed_and_shown_as_such(
    run: Run, place: list[str]
) -> None:
    run("recipients", "add", "webhook", "http://127.0.0.1:9/x", "--name", "Piket", "--allow-private")
    assert "private network allowed" in shown(place, "list")


def test_without_a_data_folder_nothing_is_made(tmp_path: Path, place: list[str]) -> None:
    missing = tmp_path / "none"
    assert "no data here" in refused([*place[:2], "--data", str(missing)], "recipients", "list")
    assert not missing.exists()


def test_berhenti_export_and_erase(run: Run, place: list[str], tmp_path: Path) -> None:
    run(
        "recipients",
        "add",
        "sms",
        NUMBER,
        "--name",
        "Bu Siti",
        "--audience",
        "public",
        "--opt-in",
        "formulir 12",
    )
    with Register(sqlite_url(tmp_path / "data" / "register.sqlite")) as register:
        assert DeliveryDesk(register, DeliverySettings()).issue(ACTUAL, rules_us=NOON_US, now_us=NOON_US)
    run("recipients", "stop", "62 812 0000 0001", "--source", "sms:BERHENTI")
    (whole,) = run("privacy", "export", NUMBER)["recipients"]
    assert (whole["address"], whole["name"]) == ("+6281200000001", "Bu Siti")
    assert [one["action"] for one in whole["consents"]] == ["in", "out"]
    assert [(one["state"], one["reason"]) for one in whole["deliveries"]] == [("dropped", "stopped")]
    assert "--yes" in refused(place, "privacy", "erase", NUMBER)
    assert len(run("privacy", "erase", NUMBER, "--yes")["erased"]) == 1
    assert "no recipient" in refused(place, "privacy", "export", NUMBER)
    (left,) = run("recipients", "list", "--all")["recipients"]
    assert (left["name"], left["address"], left["erased"] is not None) == ("", None, True)
    log = run("recipients", "log")
    assert log["counts"]["dropped"] == 1
    assert log["deliveries"][0]["recipient"] == left["id"]
    assert run("recipients", "log", left["id"])["deliveries"] == log["deliveries"]


def test_the_log_names_the_recipient_and_the_reason(run: Run, place: list[str], tmp_path: Path) -> None:
    run("recipients", "add", "webhook", "https://dishub.example/a", "--name", "Piket Dishub")
    with Register(sqlite_url(tmp_path / "data" / "register.sqlite")) as register:
        DeliveryDesk(register, DeliverySettings()).issue(ALERT, rules_us=NOON_US, now_us=NOON_US)
        (queued,) = register.deliveries("99.01")
        said = Attempt(queued.id, 1, NOON_US, 3, ok=False, detail="HTTP 410")
        register.record_attempt(said, state=DeliveryState.DEAD, reason="refused")
    (line,) = shown(place, "log").splitlines()
    assert "dead" in line
    assert line.endswith("Piket Dishub  refused: HTTP 410")


def test_a_removed_recipient_leaves_nothing_to_erase(run: Run, place: list[str]) -> None:
    run("recipients", "add", "sms", NUMBER, "--name", "x")
    run("recipients", "remove", NUMBER)
    assert "no recipient" in refused(place, "privacy", "erase", NUMBER, "--yes")


def test_a_number_of_nobody_that_said_berhenti_is_erased_from_the_log(run: Run, tmp_path: Path) -> None:
    run("recipients", "list")
    vault = Vault.open(tmp_path / "data" / KEY_FILE)
    with Register(sqlite_url(tmp_path / "data" / "register.sqlite")) as register:
        assert register.stop_number("99.01", NUMBER, vault, source="sms:BERHENTI", now_us=1) == 0
    assert run("privacy", "erase", NUMBER, "--yes") == {"erased": [], "log_entries": 1}


def test_a_gateway_is_kept_without_showing_it(place: list[str]) -> None:
    done = CliRunner().invoke(
        app, ["recipients", "gateway", "sms", "-", *place], input="json://u:p@g/{number}\n"
    )
    assert done.exit_code == 0
    assert "u:p" not in done.output
    assert CliRunner().invoke(app, ["recipients", "retry", *place]).output.startswith("0 ")


def test_the_secret_of_a_gateway_that_passes_messages_on_is_shown_once_and_made_anew(
    place: list[str], tmp_path: Path
) -> None:
    shown = []
    for _ in range(2):
        done = CliRunner().invoke(app, ["recipients", "inbound", *place])
        assert done.exit_code == 0
        shown.append(done.output.strip().rpartition(" ")[2])
        (file,) = tmp_path.rglob(SECRET_FILE)
        assert file.stat().st_mode & 0o777 == 0o600
        assert inbound_secret(file.parent) == shown[-1]
    assert shown[0] != shown[1]
