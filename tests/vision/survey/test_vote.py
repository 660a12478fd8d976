"""One thing called by several names gets one; second things on one place stay."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from serayu.models.survey.finding import DefectClass
from serayu.vision.sighting import Sighting
from serayu.vision.survey.combine import Thing, combined
from serayu.vision.survey.confirm import confirmed
from serayu.vision.survey.frames import Frame
from serayu.vision.survey.fuse import fuse
from serayu.vision.survey.vote import voted
from tests.vision.survey.flights import Real, crack, fly, hole

ALONG, ACROSS = DefectClass.LONGITUDINAL_CRACK, DefectClass.TRANSVERSE_CRACK
ALLIGATOR, HOLE, PATCH = DefectClass.ALLIGATOR_CRACK, DefectClass.POTHOLE, DefectClass.PATCH_REPAIR
LINE = shapely.LineString([(18, 0), (20, 0.3), (22, 0)])


def _things(sightings: Sequence[Sighting], frames: Mapping[str, Frame]) -> list[Thing]:
    groups = fuse(sightings, frames)
    joined = voted(groups, [combined(group, frames).figure for group in groups])
    return [combined(group, frames) for group in joined]


def _called(
    sightings: Sequence[Sighting], names: Sequence[DefectClass], scores: Sequence[float]
) -> list[Sighting]:
    return [
        replace(one, label=names[i % len(names)], score=scores[i % len(scores)])
        for i, one in enumerate(sightings)
    ]


def test_nothing_has_no_names() -> None:
    assert voted((), ()) == ()


@pytest.mark.parametrize(
    ("names", "scores", "elected"),
    [
        ((ALONG, ACROSS), (0.9, 0.5), ALONG),
        ((ALONG, ACROSS), (0.3, 0.8), ACROSS),
        ((ALONG, ALONG, ACROSS), (0.5, 0.5, 0.8), ALONG),
        ((ACROSS, ALONG), (0.5, 0.5), ALONG),
    ],
    ids=["surer", "surer by the other", "more often", "equal: first by name"],
)
def test_a_crack_of_two_names_is_one_by_the_sum_of_scores(
    names: tuple[DefectClass, ...], scores: tuple[float, ...], elected: DefectClass
) -> None:
    sightings, frames, _ = fly([Real(ALONG, LINE)], length_m=40)
    sightings = sightings[: len(sightings) // len(names) * len(names)]
    (thing,) = _things(_called(sightings, names, scores), frames)
    assert thing.label is elected
    assert thing.best.label is elected
    assert set(thing.photos) == {one.unit for one in sightings}
    assert thing.length_m == pytest.approx(LINE.length, rel=0.02)
    own = [s for n, s in zip(names, scores, strict=True) if n is elected]
    assert thing.score == max(own)


def test_a_strip_of_alligator_cracking_that_one_picture_calls_a_crack_keeps_its_area() -> None:
    strip = Real(ALLIGATOR, LINE.buffer(0.25, cap_style="flat"))
    sightings, frames, _ = fly([strip], length_m=40)
    line, *_ = fly([Real(ALONG, LINE)], length_m=40)[0][2:]
    mixed = [
        replace(one, label=ALONG, measured=line.measured) if one.unit == line.unit else one
        for one in sightings
    ]
    (thing,) = _things(mixed, frames)
    assert (thing.label, thing.length_m) == (ALLIGATOR, None)
    assert thing.area_m2 == pytest.approx(strip.figure.area, rel=0.02)
    assert line.unit in thing.photos


@pytest.mark.parametrize(
    "things",
    [
        [hole(20, 0, 0.3), Real(PATCH, shapely.box(18, -1, 22, 1))],
        [crack((17, 0), (23, 0)), Real(ACROSS, shapely.LineString([(20, -0.6), (20, 0.6)]))],
        [crack((17, 0), (23, 0)), Real(ALLIGATOR, shapely.box(18, -1, 22, 1))],
        [Real(ALLIGATOR, shapely.box(18, -1, 22, 1)), Real(PATCH, shapely.box(18, -1, 22, 1))],
        [hole(20, 0), Real(DefectClass.LANDSLIDE, shapely.box(15, -5, 25, 5))],
    ],
    ids=["hole in a patch", "crossing", "through alligator", "alligator on a patch", "hole under a slide"],
)
def test_second_things_on_one_place_stay_two(things: list[Real]) -> None:
    sightings, frames, _ = fly(things, length_m=40)
    assert {thing.label for thing in _things(sightings, frames)} == {thing.label for thing in things}


@pytest.mark.parametrize("other", [PATCH, ALLIGATOR])
def test_a_dark_square_is_a_hole_or_something_else(other: DefectClass) -> None:
    sightings, frames, _ = fly([Real(HOLE, shapely.box(19, -1, 21, 1))], length_m=40)
    (thing,) = _things(_called(sightings, (HOLE, other), (0.4, 0.6)), frames)
    assert thing.label is other


@pytest.mark.parametrize(
    ("at_m", "pictures", "score", "kept"),
    [
        (20.0, 1, 0.9, False),
        (20.0, 2, 0.3, False),
        (20.0, 2, 0.6, True),
        (20.0, 3, 0.4, True),
        (20.0, 1, None, True),
        (0.0, 1, 0.9, True),
    ],
    ids=["one of four", "two weak", "two strong", "three of four", "drawn by a person", "one of two"],
)
def test_a_thing_needs_confidence_over_all_pictures_that_show_its_place(
    at_m: float, pictures: int, score: float | None, *, kept: bool
) -> None:
    sightings, frames, _ = fly([hole(at_m, 0)], length_m=40)
    if at_m == 0:
        frames = {name: frame for name, frame in frames.items() if name <= "P0001.jpg"}
    seen = [replace(one, score=score) for one in sightings if not one.cut][:pictures]
    groups = fuse(seen, frames)
    figures = [combined(group, frames).figure for group in groups]
    left, dropped = confirmed(groups, figures, frames, least={HOLE: 0.25})
    assert (len(left), dropped) == ((1, 0) if kept else (0, 1))
    assert confirmed((), (), frames, least={}) == ((), 0)
    assert confirmed(groups, figures, frames, least={PATCH: 0.25})[1] == 0, "no threshold of its own"


@settings(max_examples=8, deadline=None)
@given(order=st.randoms(use_true_random=False))
def test_the_order_of_sightings_changes_no_name(order: object) -> None:
    things = [crack((10, 0), (14, 0)), crack((15, 1), (19, 1)), hole(12, 2)]
    sightings, frames, _ = fly(things, length_m=25)
    called = [
        one if one.label is HOLE else replace(one, label=(ALONG, ACROSS)[i % 2], score=0.4 + 0.1 * (i % 3))
        for i, one in enumerate(sightings)
    ]
    before = _things(called, frames)
    order.shuffle(called)  # type: ignore[attr-defined]
    assert _things(called, frames) == before
    assert len(before) == 3
