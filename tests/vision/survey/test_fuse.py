"""One finding for each real thing, whatever the order of the sightings and the noise of the pictures."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from serayu.models.survey.finding import Errors
from serayu.vision.survey.combine import combined
from serayu.vision.survey.frames import frames_of
from serayu.vision.survey.fuse import Group, fuse
from tests.vision.survey.flights import Real, crack, fly, hole, scene


def _members(groups: tuple[Group, ...]) -> list[set[tuple[str, int]]]:
    return [{seen.key for seen in group.seen} for group in groups]


def test_nothing_gives_nothing() -> None:
    assert fuse([], {}) == ()
    assert dict(frames_of([])) == {}


def test_sightings_of_pictures_that_are_not_on_the_ground_are_left_out() -> None:
    sightings, _, _ = fly([hole(10, 0)], length_m=20)
    assert fuse(sightings, {}) == ()


@pytest.mark.parametrize(
    ("shift_m", "turn_deg", "missed"),
    [(0.0, 0.0, 0.0), (0.05, 0.0, 0.0), (0.5, 0.5, 0.0), (1.0, 1.0, 0.2), (2.0, 2.0, 0.0)],
    ids=["exact", "rtk", "half a metre", "a metre, a fifth missed", "two metres and degrees"],
)
def test_each_thing_is_found_once(shift_m: float, turn_deg: float, missed: float) -> None:
    things = scene(3, length_m=60, n=30)
    sightings, frames, truth = fly(
        things, seed=5, shift_m=shift_m, turn_deg=turn_deg, missed=missed, length_m=60
    )
    real = dict(zip([(s.unit, s.index) for s in sightings], truth, strict=True))
    groups = fuse(sightings, frames)
    assert len(groups) == len(set(truth))
    assert all(len({real[key] for key in members}) == 1 for members in _members(groups))


@pytest.mark.parametrize("sigma_m", [0.05, 2.0])
def test_what_a_survey_believes_of_its_error_does_not_spoil_exact_positions(sigma_m: float) -> None:
    things = scene(4, length_m=60, n=25)
    sightings, frames, truth = fly(things, sigma_m=sigma_m, length_m=60)
    real = dict(zip([(s.unit, s.index) for s in sightings], truth, strict=True))
    for group in fuse(sightings, frames):
        thing = combined(group, frames)
        own = things[real[group.seen[0].key]]
        assert shapely.distance(thing.figure.centroid, own.figure.centroid) < 0.1
        size = thing.length_m if own.figure.area == 0 else thing.area_m2
        assert size == pytest.approx(own.figure.length if own.figure.area == 0 else own.figure.area, rel=0.02)


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 999), order=st.randoms(use_true_random=False))
def test_the_order_of_sightings_and_frames_changes_nothing(seed: int, order: object) -> None:
    sightings, frames, _ = fly(
        scene(seed, length_m=20, n=9), seed=seed, shift_m=1.0, turn_deg=1.0, length_m=20
    )
    before = fuse(sightings, frames)
    order.shuffle(sightings)  # type: ignore[attr-defined]
    names = list(frames)
    order.shuffle(names)  # type: ignore[attr-defined]
    shuffled = {name: frames[name] for name in names}
    after = fuse(sightings, shuffled)
    assert _members(after) == _members(before)
    assert [combined(group, shuffled) for group in after] == [combined(group, frames) for group in before]


@settings(max_examples=20, deadline=None)
@given(
    apart=st.floats(0.75, 3.0),
    angle=st.floats(0, 2 * np.pi),
    shift_m=st.sampled_from([0.0, 0.02, 0.3, 1.5]),
    seed=st.integers(0, 99),
)
def test_neighbours_that_pictures_show_together_are_never_taken_for_each_other(
    apart: float, angle: float, shift_m: float, seed: int
) -> None:
    """Two holes of one size, nearer to each other than two pictures may be off, can still be told apart.

    A picture that shows both says how they lie to each other, and two such pictures agree on both holes under one
    motion only, whatever the noise. A picture that shows a single one of them, whole or cut, cannot say which: at
    0.3 m of noise two pictures are 0.42 m off in each direction, and a neighbour at 0.75 m is the likelier one in
    some; such a sighting may go to the wrong hole or, contradicted by others, stay alone. So everything is demanded
    of those pictures only where they are placed as well as RTK does: 0.02 m against the reach of 0.3 m.
    """
    twins = [hole(20, 0), hole(20 + apart * np.cos(angle), apart * np.sin(angle))]
    sightings, frames, truth = fly(twins, seed=seed, shift_m=shift_m, length_m=40)
    real = {(one.unit, one.index): which for one, which in zip(sightings, truth, strict=True)}
    whole = Counter(one.unit for one in sightings if not one.cut)
    groups = _members(fuse(sightings, frames))
    assert all(len({unit for unit, _ in members}) == len(members) for members in groups)
    of_both = [{real[key] for key in members if whole[key[0]] == 2} for members in groups]
    assert sorted(map(sorted, filter(None, of_both))) == [[0], [1]]
    if shift_m <= 0.02:
        assert sorted({real[key] for key in members} == {0} for members in groups) == [False, True]


def test_a_row_of_near_holes_is_not_chained_into_one() -> None:
    row = [hole(10 + 0.8 * place, 0) for place in range(12)]
    sightings, frames, _ = fly(row, seed=2, shift_m=0.1, length_m=30)
    assert len(fuse(sightings, frames)) == len(row)


def test_classes_are_not_mixed() -> None:
    sightings, frames, _ = fly(
        [hole(10, 0), Real(crack((9, 0), (11, 0)).label, crack((9, 0), (11, 0)).figure)], length_m=20
    )
    labels = sorted(combined(group, frames).label for group in fuse(sightings, frames))
    assert labels == ["longitudinal_crack", "pothole"]


def test_a_crack_that_no_picture_shows_whole_is_put_together() -> None:
    sightings, frames, _ = fly([crack((5, 0.2), (35, 0.5), (70, 0.2))], length_m=80, seed=1, shift_m=0.05)
    groups = fuse(sightings, frames)
    assert len(groups) == 1
    thing = combined(groups[0], frames)
    assert thing.length_m == pytest.approx(65.0, abs=0.6)
    assert len(thing.photos) > 10


def test_parallel_cracks_stay_two_although_every_picture_cuts_them() -> None:
    pair = [crack((5, 0.0), (70, 0.0)), crack((5, 1.0), (70, 1.0))]
    sightings, frames, _ = fly(pair, length_m=80)
    things = [combined(group, frames) for group in fuse(sightings, frames)]
    assert [thing.length_m for thing in things] == pytest.approx([65.0, 65.0], abs=0.5)


def test_the_best_picture_is_uncut_then_fine_then_central() -> None:
    sightings, frames, _ = fly([hole(22, 0)], length_m=44)
    (group,) = fuse(sightings, frames)
    best = combined(group, frames).best
    assert not best.cut
    middle = frames[best.unit].centre_m[0]
    nearest = min(abs(frame.centre_m[0] - 22) for frame in frames.values())
    assert abs(middle - 22) <= nearest + 0.1 * 15
    coarse = [one if one.unit != best.unit else replace(one, gsd_mm=40.0) for one in sightings]
    (group,) = fuse(coarse, frames)
    assert combined(group, frames).best.unit != best.unit


def test_pictures_from_much_higher_up_do_not_spoil_sizes() -> None:
    """An overview's outline is a tenth too small, and the picture is sure of it."""
    sightings, frames, _ = fly([hole(22, 0)], length_m=44)
    (group,) = fuse(sightings, frames)
    alone = combined(group, frames)
    measured = sightings[2].measured
    assert measured.area_m2 is not None
    small = replace(measured, area_m2=0.9 * measured.area_m2, errors=Errors(position_m=0.05, area_m2=1e-4))
    sightings[2] = replace(sightings[2], gsd_mm=40.0, measured=small)
    (group,) = fuse(sightings, frames)
    assert combined(group, frames).area_m2 == pytest.approx(alone.area_m2)


@pytest.mark.parametrize("cut", [False, True])
def test_what_is_too_coarse_to_measure_neither_takes_a_size_away_nor_makes_up_for_one(
    cut: bool,  # noqa: FBT001
) -> None:
    """An overview's outline is wider than the thing, and has no size; the finer pictures show all or pieces of it."""
    sightings, frames, _ = fly([hole(22, 0)], length_m=44)
    (group,) = fuse(sightings, frames)
    alone = combined(group, frames)
    measured = sightings[2].measured
    wide = replace(
        measured,
        figure=shapely.affinity.scale(measured.figure, 1.3, 1.3),
        area_m2=None,
        errors=Errors(position_m=0.05),
    )
    sightings = [one if place == 2 else replace(one, cut=cut) for place, one in enumerate(sightings)]
    sightings[2] = replace(sightings[2], gsd_mm=40.0, measured=wide, cut=False)
    (group,) = fuse(sightings, frames)
    thing = combined(group, frames)
    assert thing.area_m2 == (None if cut else pytest.approx(alone.area_m2))
    assert ("finding.unmeasured.area_gsd" in thing.unmeasured) is cut
