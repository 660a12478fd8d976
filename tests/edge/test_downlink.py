"""Configuration from afar: all of it valid, or none of it taken."""

import errno
import os
from pathlib import Path

import pytest

from serayu.edge.downlink import Downlink, RemoteConfig


def downlink(folder: Path) -> Downlink:
    return Downlink(folder / "remote.json", properties=["stage", "battery"])


def test_a_valid_configuration_is_taken_and_outlives_a_restart(tmp_path: Path) -> None:
    assert downlink(tmp_path).offer(b'{"version": 3, "interval_s": {"stage": 30}}')
    again = downlink(tmp_path)
    assert again.current == RemoteConfig(3, {"stage": 30.0})
    assert again.status() == {"version": 3, "refused": None}


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        pytest.param(b"", "truncated", id="empty"),
        pytest.param(b"\xff", "malformed", id="not UTF-8"),
        pytest.param(b"[]", "Expected `object`", id="no object"),
        pytest.param(b'{"interval_s": {}}', "version", id="no version"),
        pytest.param(b'{"version": 0}', ">= 1", id="version 0"),
        pytest.param(b'{"version": 2, "interval_s": {"stage": 0.5}}', ">= 1.0", id="too often"),
        pytest.param(b'{"version": 2, "interval_s": {"stage": 86401}}', "<= 86400", id="too rarely"),
        pytest.param(b'{"version": 2, "interval_s": {"stage": "30"}}', "Expected `float`", id="text"),
        pytest.param(
            b'{"version": 2, "interval_s": {"rain": 30}}', "not measured here: rain", id="not measured"
        ),
        pytest.param(b'{"version": 2, "intervals": {}}', "unknown field", id="unknown field"),
        pytest.param(
            b'{"version": 1, "interval_s": {"stage": 5}}', "version 1 is in force", id="same version"
        ),
    ],
)
def test_a_wrong_configuration_changes_nothing_and_is_answered(
    tmp_path: Path, payload: bytes, reason: str
) -> None:
    it = downlink(tmp_path)
    assert it.offer(b'{"version": 1, "interval_s": {"stage": 60}}')
    assert not it.offer(payload)
    assert it.current == RemoteConfig(1, {"stage": 60.0})
    assert reason in str(it.status()["refused"])
    assert downlink(tmp_path).current == RemoteConfig(1, {"stage": 60.0})


def test_the_retained_message_of_the_version_in_force_is_no_news(tmp_path: Path) -> None:
    it = downlink(tmp_path)
    it.offer(b'{"version": 1, "interval_s": {"stage": 60}}')
    assert not it.offer(b'{"version": 1, "interval_s": {"stage": 60.0}}')
    assert it.refused is None
    assert it.offer(b'{"version": 2}')
    assert it.status() == {"version": 2, "refused": None}


def test_a_spoiled_file_is_told_and_a_new_configuration_taken(tmp_path: Path) -> None:
    (tmp_path / "remote.json").write_bytes(b"\x00\x00")
    it = downlink(tmp_path)
    assert it.current is None
    assert it.refused is not None
    assert it.offer(b'{"version": 1}')


def test_a_configuration_that_a_full_card_does_not_take_is_refused_and_the_old_one_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = downlink(tmp_path)
    it.offer(b'{"version": 1, "interval_s": {"stage": 60}}')

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as card:
        card.setattr(os, "fsync", full)
        assert not it.offer(b'{"version": 2, "interval_s": {"stage": 5}}')
    assert it.status() == {"version": 1, "refused": "version 2: cannot be kept: No space left on device"}
    assert it.current == RemoteConfig(1, {"stage": 60.0})
    assert [file.name for file in tmp_path.iterdir()] == ["remote.json"]
    assert downlink(tmp_path).current == it.current
    assert it.offer(b'{"version": 2, "interval_s": {"stage": 5}}')  # it comes again with the next connection
    assert it.status() == {"version": 2, "refused": None}


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "remote.json").mkdir()
    it = downlink(tmp_path)
    assert it.current is None
    assert "cannot be read" in str(it.refused)
