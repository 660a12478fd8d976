"""Children that end with the process that started them, however that one ended."""

import os
import signal
import sys
import threading

LEAVE_VARIABLE = "SERAYU_LEAVE_WITH_PARENT"


def leave_with_parent() -> None:
    """Where `LEAVE_VARIABLE` is set, ask this process to end once its standard input is closed.

    The parent holds the other end of a pipe; the system closes it also when the parent is killed.
    """
    if not os.environ.get(LEAVE_VARIABLE):
        return

    descriptor = sys.stdin.fileno()

    def wait() -> None:
        while os.read(descriptor, 1024):  # not by sys.stdin: its lock would be held when the interpreter ends
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="serayu-parent", daemon=True).start()
