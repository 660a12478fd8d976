"""Run ``python -m serayu.standalone``: the command ``serayu``."""

from serayu.standalone.cli import main

if __name__ == "__main__":
    main()
