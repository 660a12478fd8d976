"""``python -m serayu.api run …`` is ``serayu api run …``."""

from serayu.api.cli import app

if __name__ == "__main__":
    app()
