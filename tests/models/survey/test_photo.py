"""What part of a photo the crop of a box shows."""

import pytest

from serayu.models.survey.photo import crop_bounds


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ((200.0, 200.0, 280.0, 260.0), (176, 176, 304, 284)),
        ((200.0, 200.0, 600.0, 260.0), (100, 100, 700, 360)),
        ((0.0, 0.0, 80.0, 60.0), (0, 0, 104, 84)),
        ((1580.0, 1190.0, 1600.0, 1200.0), (1556, 1166, 1600, 1200)),
        ((1700.0, 1300.0, 1700.0, 1300.0), (1600, 1200, 1601, 1201)),
    ],
    ids=[
        "24 px at least",
        "a quarter of its size",
        "the upper-left corner",
        "the lower-right corner",
        "outside",
    ],
)
def test_a_crop_has_a_margin_and_ends_at_the_photo(
    box: tuple[float, float, float, float], expected: tuple[int, int, int, int]
) -> None:
    assert crop_bounds(box, width_px=1600, height_px=1200) == expected
