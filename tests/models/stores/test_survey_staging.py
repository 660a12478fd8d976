"""What a kill leaves among the surveys is removed; what is being written never is."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from serayu.models.errors import StoreFullError
from serayu.models.stores.survey_staging import staged_folder, sweep, upload_file

PLACES = pytest.mark.parametrize("place", [staged_folder, upload_file])
Place = Callable[[Path], AbstractContextManager[object]]
WRITER = """
import sys
from pathlib import Path
from serayu.models.stores.survey_staging import staged_folder, upload_file
with staged_folder(Path(sys.argv[1])) as folder, upload_file(Path(sys.argv[1])) as upload:
    (folder / "a.jpg").write_bytes(b"half")
    upload.write(b"half")
    upload.flush()
    print("written", flush=True)
    sys.stdin.read()
"""


def names(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir())


def test_what_a_killed_process_left_is_removed_and_not_before(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"written\n"
        assert (sweep(tmp_path), len(names(tmp_path))) == (0, 2)
        writer.kill()
    assert len(names(tmp_path)) == 2
    assert (sweep(tmp_path), names(tmp_path)) == (2, [])


@PLACES
def test_a_place_in_use_by_this_process_is_left_and_its_end_leaves_nothing(
    tmp_path: Path, place: Place
) -> None:
    with place(tmp_path / "surveys"):
        assert (sweep(tmp_path / "surveys"), len(names(tmp_path / "surveys"))) == (0, 1)
    assert names(tmp_path / "surveys") == []


def test_nothing_else_is_touched(tmp_path: Path) -> None:
    (tmp_path / "33.02").mkdir()
    (tmp_path / ".other").write_bytes(b"x")
    (tmp_path / "kept").write_bytes(b"x")
    (tmp_path / ".upload-link").symlink_to(tmp_path / "kept")
    assert sweep(tmp_path) == 0
    assert names(tmp_path) == [".other", ".upload-link", "33.02", "kept"]
    assert sweep(tmp_path / "absent") == 0


@PLACES
def test_a_place_that_was_swept_before_it_was_locked_is_made_anew(
    tmp_path: Path, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = os.open
    swept: list[int] = []

    def slow(file: Path, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if not swept and Path(file).parent == tmp_path and not flags & os.O_CREAT:
            swept.append(0)
            swept.append(sweep(tmp_path))
        return opened(file, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", slow)
    with place(tmp_path):
        assert swept == [0, 1]
        assert len(names(tmp_path)) == 1


def test_many_writers_and_sweeps_at_once_lose_nothing(tmp_path: Path) -> None:
    lost: list[str] = []
    ended = threading.Event()

    def write() -> None:
        for number in range(40):
            with staged_folder(tmp_path) as folder:
                (folder / "a").write_bytes(b"%d" % number)
                if (folder / "a").read_bytes() != b"%d" % number:
                    lost.append(folder.name)

    def clean() -> None:
        while not ended.is_set():
            sweep(tmp_path)

    sweeper = threading.Thread(target=clean)
    writers = [threading.Thread(target=write) for _ in range(2)]
    for thread in (sweeper, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    ended.set()
    sweeper.join()
    assert (lost, names(tmp_path)) == ([], [])


def test_a_folder_that_cannot_be_made_is_a_full_store(tmp_path: Path) -> None:
    (tmp_path / "surveys").write_bytes(b"no folder")
    with pytest.raises(StoreFullError, match="cannot write to"), upload_file(tmp_path / "surveys"):
        pass
