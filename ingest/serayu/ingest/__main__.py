"""Run ``python -m serayu.ingest``: what ``serayu ingest run`` does, without the command line's imports."""

import argparse
from pathlib import Path

from serayu.ingest.run import run

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m serayu.ingest")
    parser.add_argument("--ready-file", type=Path)
    run(ready_file=parser.parse_args().ready_file)
