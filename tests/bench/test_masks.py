"""What the benchmark of outlines takes as given."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from bench.masks import given, main
from serayu.models.survey.finding import DefectClass


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for kind in ("images", "labels"):
        (tmp_path / kind / "val").mkdir(parents=True)
    cv2.imwrite(str(tmp_path / "images" / "val" / "a.jpg"), np.full((100, 200, 3), 90, np.uint8))
    return tmp_path


def test_rows_that_are_empty_or_only_a_box_give_no_mask(folder: Path) -> None:
    rows = "\n3 0.1 0.2 0.3 0.2 0.3 0.6 0.1 0.6\n  \n3 0.5 0.5 0.2 0.4\n\n"
    (folder / "labels" / "val" / "a.txt").write_text(rows)
    (thing,) = given(folder, "val", "", 1, 0.0)
    assert thing.label is DefectClass.POTHOLE
    np.testing.assert_allclose(thing.box, (20, 20, 60, 60))
    assert int(thing.mask.sum()) == pytest.approx(40 * 40, rel=0.06)


def test_a_label_that_cannot_be_read_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "labels" / "val" / "a.txt").write_text("\n7 0.1 0.2 0.3 0.2 0.3 0.6\n")
    with pytest.raises(SystemExit) as caught:
        main([str(folder)])
    assert caught.value.code == 2
    assert "a.txt" in (told := capsys.readouterr().err)
    assert "row 2" in told
