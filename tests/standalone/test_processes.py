import os
import signal
import sys
import time
from pathlib import Path

import pytest

from serayu.standalone.processes import ManagedProcess, ProcessTree, StartError
from tests.servers import wait_for

SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)",
]


def managed(name: str, argv: list[str], folder: Path, **options: object) -> ManagedProcess:
    return ManagedProcess(name, argv, environment={}, log_folder=folder, **options)  # type: ignore[arg-type]


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_tree_stops_its_processes_last_first(tmp_path: Path) -> None:
    log = tmp_path / "order"
    teller = "import signal, sys, time\ndef tell(*_):\n    open({0!r}, 'a').write({1!r}); sys.exit()\n"
    teller += "signal.signal(signal.SIGTERM, tell); open({0!r} + {1!r}, 'w').close(); time.sleep(600)"
    with ProcessTree() as tree:
        for name in "ab":
            argv = [sys.executable, "-c", teller.format(str(log), name)]
            ready = Path(f"{log}{name}")
            tree.add(managed(name, argv, tmp_path, is_ready=ready.exists))
    assert log.read_text() == "ba"


def test_a_killed_process_is_started_again(tmp_path: Path) -> None:
    with ProcessTree() as tree:
        process = tree.add(managed("sleeper", SLEEPER, tmp_path))
        first = process.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)

        def back() -> bool:
            tree.keep_up()
            return process.pid not in (None, first)

        wait_for(back, what="a new process")
        assert process.restarts == 1


def test_a_process_that_dies_at_once_is_not_started_in_a_rush(tmp_path: Path) -> None:
    with ProcessTree() as tree:
        process = tree.add(managed("dying", [sys.executable, "-c", "raise SystemExit(1)"], tmp_path))
        give_up = time.monotonic() + 2.5
        while time.monotonic() < give_up:
            tree.keep_up()
            time.sleep(0.01)
        assert 1 <= process.restarts <= 3  # after 0.5, 1 and 2 s


def test_a_process_that_ignores_the_request_to_end_is_killed(tmp_path: Path) -> None:
    process = managed("stubborn", STUBBORN, tmp_path)
    process.start()
    wait_for(lambda: "up" in process.log_tail(), what="stubborn process")
    pid = process.pid
    assert pid is not None
    process.stop(grace_s=0.2)
    assert not lives(pid)


def test_one_that_does_not_come_up_is_reported_with_the_end_of_its_log(tmp_path: Path) -> None:
    failing = managed(
        "failing", [sys.executable, "-c", "print('no such port')"], tmp_path, is_ready=lambda: False
    )
    with ProcessTree() as tree, pytest.raises(StartError, match=r"failing did not start.*no such port"):
        tree.add(failing, timeout_s=10)
