"""Workers of dask give what this process gives, byte for byte; skipped without `distributed` (extra `cluster`)."""

from pathlib import Path

import pytest

from serayu.models.errors import BadInputError
from serayu.vision.survey.pipeline import Order, run_survey
from tests.vision.survey.pictures import ROAD, FlatFolder, gauge, write_flight

pytest.importorskip("distributed", reason="dask.distributed is not installed (extra cluster)")


def _files(out: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(out)): file.read_bytes()
        for file in sorted(out.rglob("*"))
        if file.is_file() and ".work" not in file.parts
    }


def test_workers_give_the_same_bytes(tmp_path: Path) -> None:
    from serayu.vision.survey.cluster import cluster_engine  # noqa: PLC0415 -- after the skip

    flight = tmp_path / "flight"
    write_flight(flight, ROAD)
    (flight / "P00480_0.jpg").write_bytes(b"cut off")
    imagery = FlatFolder(flight)
    run_survey(Order(flight, tmp_path / "here", boxes=flight / "boxes"), imagery=imagery, gauge=gauge)
    with cluster_engine(address=None, workers=2) as engine:
        order = Order(flight, tmp_path / "there", boxes=flight / "boxes")
        outcome = run_survey(order, engine=engine, imagery=imagery, gauge=gauge)
    assert (outcome.looked, outcome.resumed) == (6, 0)
    assert _files(tmp_path / "there") == _files(tmp_path / "here")


def test_a_scheduler_that_does_not_answer_is_one_error() -> None:
    from serayu.vision.survey.cluster import cluster_engine  # noqa: PLC0415 -- after the skip

    with (
        pytest.raises(BadInputError, match="no scheduler answers"),
        cluster_engine(address="tcp://127.0.0.1:9", workers=1, timeout_s=0.5),
    ):
        pass
