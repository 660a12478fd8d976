import hashlib
import io
import json
import stat
import tarfile
from pathlib import Path

import pytest

from serayu.models.errors import BadInputError, ConflictError
from serayu.models.reading import Observation, SeriesKey
from serayu.models.stores.hot import HotStore
from serayu.models.stores.register import Register, upgrade
from serayu.models.stores.register.database import sqlite_url
from serayu.models.stores.survey_files import picture_file, publish_bundle
from serayu.standalone.backup_cli import back_up, restore_from
from tests.models.survey.bundles import IDS, JPEG, SURVEY, crops, zipped

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


def test_the_pictures_of_surveys_come_back_with_their_findings(data: Path, tmp_path: Path) -> None:
    url = sqlite_url(data / "register.sqlite")
    upgrade(url)
    with Register(url) as register:
        publish_bundle(
            io.BytesIO(zipped()), register=register, data_dir=data, region="33.02", by="Ani", now_us=5
        )
    unfinished = data / "surveys" / ".incoming-x" / "crops"
    unfinished.mkdir(parents=True)
    (unfinished / f"{IDS[0]}.jpg").write_bytes(JPEG)
    back_up(data, tmp_path / "b.tar.gz")
    restore_from(tmp_path / "b.tar.gz", tmp_path / "new")
    with Register(sqlite_url(tmp_path / "new" / "register.sqlite")) as register:
        shown = [one for one in register.findings("33.02").page if one.picture]
    assert sorted(one.id for one in shown) == sorted(IDS[:-1])
    for one in shown:
        picture = picture_file(tmp_path / "new", "33.02", one.survey, one.id)
        assert picture.read_bytes() == crops()[f"crops/{one.id}.jpg"]
        assert stat.S_IMODE(picture.stat().st_mode) & 0o077 == 0o044
    assert [one.name for one in (tmp_path / "new" / "surveys").glob("*/*")] == [SURVEY]
    with pytest.raises(ConflictError, match="already holds data"):
        restore_from(tmp_path / "b.tar.gz", tmp_path / "new")


@pytest.mark.parametrize(
    "name",
    ["surveys/../keys.json", f"surveys/33.02/x/crops/../../../{IDS[0]}.jpg", "surveys/33.02/x/crops/run.sh"],
)
def test_an_archive_that_would_write_anything_else_is_refused(tmp_path: Path, name: str) -> None:
    content = b"x"
    document = {"files": {name: hashlib.sha256(content).hexdigest()}}
    with tarfile.open(tmp_path / "forged.tar.gz", "w:gz") as tar:
        for inside, said in (("manifest.json", json.dumps(document).encode()), (name, content)):
            entry = tarfile.TarInfo(inside)
            entry.size = len(said)
            tar.addfile(entry, io.BytesIO(said))
    with pytest.raises(BadInputError, match=r"damaged or unknown|cannot read"):
        restore_from(tmp_path / "forged.tar.gz", tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []
