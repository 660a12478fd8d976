"""``python -m serayu.api run …`` is ``serayu api run …``."""

from serayu.api.cli import app
from serayu.models.parent import leave_with_parent

if __name__ == "__main__":
    leave_with_parent()
    app()
