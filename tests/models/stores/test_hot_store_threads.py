"""Closing a store that others still use: a process of its own, since the fault was a segmentation fault."""

import subprocess
import sys
from pathlib import Path

CODE = """
import sys, threading
from pathlib import Path
from serayu.models.reading import Observation, SeriesKey
from serayu.models.stores.hot import HotStore

store = HotStore(Path(sys.argv[1]))
key = SeriesKey("99.01", "hulu", "stage")
store.write([Observation(key, 1_000_000 * number, 1.0) for number in range(1, 3000)])
stopping = threading.Event()

def read():
    while not stopping.is_set():
        assert len(store.changes(0, limit=5000)) >= 2999

def write():
    number = 10_000
    while not stopping.is_set():
        number += 1
        store.write([Observation(key, 1_000_000 * number, 1.0)])

threads = [threading.Thread(target=work) for work in (read, read, write)]
for thread in threads:
    thread.start()
for _ in range(150):
    store.close()
stopping.set()
for thread in threads:
    thread.join()
store.close()
print("alive")
"""


def test_a_store_closed_under_its_readers_and_its_writer_goes_on(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", CODE, str(tmp_path / "hot.sqlite")]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout) == (0, "alive\n"), done.stderr[-2000:]
