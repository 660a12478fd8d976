import json
import stat
import tarfile
from pathlib import Path

import pytest

from serayu.models.errors import BadInputError, ConflictError
from serayu.models.reading import Observation, SeriesKey
from serayu.models.stores.hot import HotStore
from serayu.standalone.backup_cli import back_up, restore_from

KEY = SeriesKey("33.02", "bgs-hulu", "stage")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    with HotStore(folder / "hot.sqlite") as store:
        store.write([Observation(KEY, 1_000_000 * number, float(number)) for number in range(1, 101)])
    (folder / "keys.json").write_text('{"operator": "secret"}')
    return folder


def test_what_was_backed_up_comes_back(data: Path, tmp_path: Path) -> None:
    document = back_up(data, tmp_path / "b.tar.gz")
    assert set(document["files"]) == {"hot.sqlite", "keys.json"}  # type: ignore[call-overload]
    restore_from(tmp_path / "b.tar.gz", tmp_path / "new")
    with HotStore(tmp_path / "new" / "hot.sqlite") as store:
        assert [one.value for one in store.window(KEY, 0, 2**40)] == [
            float(number) for number in range(1, 101)
        ]
    assert json.loads((tmp_path / "new" / "keys.json").read_text()) == {"operator": "secret"}


def test_a_backup_is_consistent_while_readings_come_in(data: Path, tmp_path: Path) -> None:
    with HotStore(data / "hot.sqlite") as store, store.transaction() as transaction:
        transaction.insert([Observation(KEY, 10**9, 1.0)])
        back_up(data, tmp_path / "b.tar.gz")
    restore_from(tmp_path / "b.tar.gz", tmp_path / "new")
    with HotStore(tmp_path / "new" / "hot.sqlite") as store:
        assert store.count() == 100


def test_archive_and_restored_keys_are_for_their_owner_only(data: Path, tmp_path: Path) -> None:
    back_up(data, tmp_path / "b.tar.gz")
    restore_from(tmp_path / "b.tar.gz", tmp_path / "new")
    for file in (tmp_path / "b.tar.gz", tmp_path / "new" / "keys.json"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_restoring_over_data_is_refused(data: Path, tmp_path: Path) -> None:
    back_up(data, tmp_path / "b.tar.gz")
    with pytest.raises(ConflictError, match="already holds data"):
        restore_from(tmp_path / "b.tar.gz", data)


def test_an_empty_folder_has_nothing_to_back_up(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"no hot\.sqlite"):
        back_up(tmp_path, tmp_path / "b.tar.gz")


@pytest.mark.parametrize("content", [b"", b"not an archive"])
def test_another_file_is_no_backup_and_nothing_is_written(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "b.tar.gz").write_bytes(content)
    with pytest.raises(BadInputError):
        restore_from(tmp_path / "b.tar.gz", tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []


def test_a_changed_archive_is_refused_and_nothing_is_written(data: Path, tmp_path: Path) -> None:
    back_up(data, tmp_path / "b.tar.gz")
    with tarfile.open(tmp_path / "b.tar.gz") as tar:
        tar.extractall(tmp_path / "open", filter="data")
    (tmp_path / "open" / "keys.json").write_text('{"operator": "mine"}')
    with tarfile.open(tmp_path / "forged.tar.gz", "w:gz") as tar:
        for file in (tmp_path / "open").iterdir():
            tar.add(file, arcname=file.name)
    with pytest.raises(BadInputError, match=r"keys\.json is damaged"):
        restore_from(tmp_path / "forged.tar.gz", tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []
