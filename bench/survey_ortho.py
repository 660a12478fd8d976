"""Peak memory of a survey of a large orthophoto, most of it empty: a road strip across a square.

    python -m bench.survey_ortho [--size 20000] [--json] [--output FILE]

The orthophoto is drawn here: RGBA in UTM, 10 mm per px, asphalt three blocks wide along the diagonal, a round hole in
every fourth block, boxes given. Its whole picture would take 1.6 GB at 20,000 px.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import pyproj
import rasterio
from rasterio import Affine
from rasterio.windows import Window

from bench.common import case, document, emit

BLOCK = 512
GSD_M = 0.01
RADIUS_PX = 30
EVERY = 4
PLACE = (109.24, -7.4244)


def main() -> None:
    """Draw, survey, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=20_000, help="px on a side")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--output", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        holes = draw(folder, asked.size)
        command = [sys.executable, "-c", "from serayu.standalone.cli import main; main()", "vision", "survey"]
        command += [
            str(folder / "mosaic.tif"),
            "--boxes",
            str(folder),
            "--out",
            str(folder / "out"),
            "--json",
        ]
        began = time.monotonic()
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(done.stderr)
        told = json.loads(done.stdout)
        wall_s = time.monotonic() - began
    peak_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    counts = told["summary"]["counts"]
    name = f"orthophoto of {asked.size} px"
    figures = (
        ("memory", "peak of the process", "MB", peak_mb),
        ("time", "whole survey", "s", wall_s),
        ("windows", "looked at", "windows", counts["units"]),
        ("findings", f"of {holes} drawn", "findings", counts["findings"]),
    )
    cases = [
        case(f"{name}: {what}", metric=metric, unit=unit, ours=ours, peers={}, spread=[ours, ours])
        for what, metric, unit, ours in figures
    ]
    emit(document("survey_ortho", rounds=1, cases=cases), as_json=asked.json, output=asked.output)


def draw(folder: Path, size: int) -> int:
    """Write ``mosaic.tif`` with its boxes; return how many holes it shows."""
    chance = np.random.default_rng(1)
    asphalt = chance.normal(125, 6, (BLOCK, BLOCK)).clip(0, 255).astype(np.uint8)
    shown = np.full((BLOCK, BLOCK), 255, np.uint8)
    east, north = pyproj.Transformer.from_crs(4326, 32749, always_xy=True).transform(*PLACE)
    rows = []
    with rasterio.open(
        folder / "mosaic.tif",
        "w",
        driver="GTiff",
        width=size,
        height=size,
        count=4,
        dtype="uint8",
        crs="EPSG:32749",
        transform=Affine.translation(east, north) @ Affine.scale(GSD_M, -GSD_M),
        tiled=True,
        blockxsize=BLOCK,
        blockysize=BLOCK,
        compress="deflate",
        sparse_ok=True,
        photometric="RGB",
        alpha="yes",
    ) as file:
        for top in range(0, size - BLOCK + 1, BLOCK):
            for left in range(max(top - BLOCK, 0), min(top + BLOCK, size - BLOCK) + 1, BLOCK):
                block = asphalt.copy()
                if left == top and (top // BLOCK) % EVERY == 0:
                    cv2.circle(block, (BLOCK // 2, BLOCK // 2), RADIUS_PX, 60, -1)
                    middle = (top + BLOCK / 2 + 0.5) / size
                    side = (2 * RADIUS_PX + 1) / size
                    rows.append(f"0 {middle} {middle} {side} {side}")
                window = Window(left, top, BLOCK, BLOCK)
                for band in (1, 2, 3):
                    file.write(block, band, window=window)
                file.write(shown, 4, window=window)
    (folder / "classes.txt").write_text("pothole\n")
    (folder / "mosaic.txt").write_text("\n".join(rows) + "\n")
    return len(rows)


if __name__ == "__main__":
    main()
