"""A survey of made-up pictures in a process of its own, for tests that kill it: ``runner.py PICTURES OUT``."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from serayu.vision.survey.pipeline import Order, run_survey
from tests.vision.survey.pictures import FlatFolder, gauge


def main(pictures: str, out: str) -> None:
    """Survey a folder with its boxes."""
    folder = Path(pictures)
    ruas = folder / "ruas.geojson"
    order = Order(folder, Path(out), boxes=folder / "boxes", ruas=ruas if ruas.is_file() else None)
    outcome = run_survey(order, imagery=FlatFolder(folder), gauge=gauge)
    sys.stdout.write(f"{outcome.looked} {outcome.resumed}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
