"""What became of defects between two surveys."""

import random
import uuid
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry.base import BaseGeometry

from serayu.models.plane import LocalPlane
from serayu.models.survey.change import Change, Fate, changes, growth
from serayu.models.survey.finding import DefectClass, Errors, Finding, Severity
from serayu.models.survey.match import match, placed

PLANE = LocalPlane(109.25)
ORIGIN = PLANE.forward(np.array([[109.25, -7.43]]))[0]
POTHOLE, CRACK, PATCH, SLIDE = (
    DefectClass.POTHOLE,
    DefectClass.LONGITUDINAL_CRACK,
    DefectClass.PATCH_REPAIR,
    DefectClass.LANDSLIDE,
)


def degrees(figure: BaseGeometry) -> BaseGeometry:
    return PLANE.to_degrees(shapely.transform(figure, lambda xy: xy + ORIGIN))


def finding(
    figure: BaseGeometry,
    label: DefectClass = POTHOLE,
    *,
    number: int = 0,
    sigma_m: float | None = 0.1,
    **sizes: Any,  # noqa: ANN401 -- sizes and their errors
) -> Finding:
    errors = sizes.pop("errors", None) or Errors(position_m=sigma_m)
    return Finding(
        id=str(uuid.UUID(int=number)), survey="s", label=label, score=0.9, ruas=None, km=None, side=None,
        length_m=sizes.get("length_m"), width_mm=sizes.get("width_mm"), area_m2=sizes.get("area_m2"),
        severity=Severity.UNMEASURED, errors=errors, photo="a.jpg", photos=("a.jpg",), time=None,
        geometry=dict(shapely.geometry.mapping(degrees(figure))),
    )  # fmt: skip


def hole(x: float, y: float = 0.0, radius: float = 0.3, **more: Any) -> Finding:  # noqa: ANN401 -- as above
    return finding(shapely.Point(x, y).buffer(radius), **more)


EVERYWHERE = degrees(shapely.box(-500, -500, 500, 500))
NOWHERE = shapely.Polygon()


def fates(
    before: Sequence[Finding],
    after: Sequence[Finding],
    *,
    seen_before: BaseGeometry = EVERYWHERE,
    seen_after: BaseGeometry = EVERYWHERE,
) -> list[Fate]:
    return [one.fate for one in told(before, after, seen_before=seen_before, seen_after=seen_after)]


def told(
    before: Sequence[Finding],
    after: Sequence[Finding],
    *,
    seen_before: BaseGeometry = EVERYWHERE,
    seen_after: BaseGeometry = EVERYWHERE,
) -> tuple[Change, ...]:
    return changes(before, after, seen_before=seen_before, seen_after=seen_after, plane=PLANE)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ([], [], []),
        ([hole(0)], [], [Fate.GONE]),
        ([], [hole(0)], [Fate.NEW]),
        ([hole(0)], [hole(0.4, number=1)], [Fate.UNDECIDED]),
        ([hole(0)], [hole(2.5, number=1)], [Fate.GONE, Fate.NEW]),
        ([hole(0, sigma_m=1.0)], [hole(2.5, number=1)], [Fate.UNDECIDED]),
        ([hole(0, sigma_m=None)], [hole(8, number=1)], [Fate.UNDECIDED]),
        ([hole(0, radius=0.1)], [hole(0, radius=0.5, number=1)], [Fate.GONE, Fate.NEW]),
        ([hole(0)], [finding(shapely.Point(0, 0).buffer(0.4), PATCH, number=1)], [Fate.REPAIRED, Fate.NEW]),
        ([hole(0)], [finding(shapely.Point(3, 0).buffer(0.4), PATCH, number=1)], [Fate.GONE, Fate.NEW]),
        (
            [finding(shapely.box(0, 0, 10, 10), SLIDE)],
            [finding(shapely.box(-5, 0, 30, 30), SLIDE, number=1)],
            [Fate.UNDECIDED],
        ),
    ],
)
def test_a_thing_alone(before: list[Finding], after: list[Finding], expected: list[Fate]) -> None:
    assert fates(before, after) == expected


def test_a_crack_that_grew_longer_is_one_crack_and_its_neighbour_another() -> None:
    before = [finding(shapely.LineString([(0, 0), (4, 0)]), CRACK, length_m=4.0)]
    after = [
        finding(shapely.LineString([(0.1, 0.1), (6, 0.1)]), CRACK, number=1, length_m=5.9),
        finding(shapely.LineString([(0, 0.45), (4, 0.45)]), CRACK, number=2, length_m=4.0),
    ]
    by_fate = {one.fate: one for one in told(before, after)}
    assert by_fate[Fate.UNDECIDED].after == after[0]
    assert by_fate[Fate.NEW].after == after[1]


@pytest.mark.parametrize(
    ("after_m2", "error", "expected"),
    [
        (0.5, 0.05, Fate.GROWN),
        (0.2, 0.02, Fate.DOUBTFUL),
        (0.32, 0.05, Fate.SAME),
        (0.5, None, Fate.UNDECIDED),
    ],
)
def test_a_change_counts_only_beyond_its_error(after_m2: float, error: float | None, expected: Fate) -> None:
    errors = Errors(position_m=0.1, area_m2=error)
    before, after = (hole(0, number=n, area_m2=area, errors=errors) for n, area in enumerate((0.3, after_m2)))
    (one,) = told([before], [after])
    (size,) = one.growth
    assert one.fate is expected
    assert size.change == pytest.approx(after_m2 - 0.3)
    assert size.error == (None if error is None else pytest.approx(2**0.5 * error, abs=1e-4))


def _crack(
    y: float, length: float, *, number: int = 0, sigma_m: float = 0.1, label: DefectClass = CRACK
) -> Finding:
    line = shapely.LineString([(0, y), (length, y)])
    errors = Errors(position_m=sigma_m, length_m=0.25)
    return finding(line, label, number=number, length_m=length, errors=errors)


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        *((label, Fate.DOUBTFUL) for label in (POTHOLE, DefectClass.ALLIGATOR_CRACK)),
        *((label, Fate.SHRUNK) for label in (PATCH, SLIDE)),  # worn away, cleared
    ],
)
def test_cracks_and_holes_do_not_shrink_so_a_smaller_one_is_doubtful(
    label: DefectClass, expected: Fate
) -> None:
    errors = Errors(position_m=0.1, area_m2=0.01)
    before, after = (
        hole(0, number=n, label=label, area_m2=a, errors=errors) for n, a in enumerate((0.3, 0.2))
    )
    (one,) = told([before], [after])
    assert one.fate is expected
    assert [size.significant for size in one.growth] == [None if expected is Fate.DOUBTFUL else True]


def test_a_crack_that_seems_shorter_is_doubtful_and_its_shrinking_not_significant() -> None:
    (one,) = told([_crack(0, 4.244)], [_crack(0.1, 2.058, number=1)])
    assert one.fate is Fate.DOUBTFUL
    (size,) = one.growth
    assert (size.change, size.significant) == (-2.186, None)
    (back,) = told([_crack(0.1, 2.058)], [_crack(0, 4.244, number=1)])
    assert (back.fate, back.growth[0].significant) == (Fate.GROWN, True)


@pytest.mark.parametrize(
    ("apart_m", "after_m", "one_thing"),
    [
        (0.0, 4.0, True),
        (5.0, 4.0, True),  # the position errors of 1.5 m of both allow 6.4 m
        (6.5, 4.0, False),
        (5.0, 2.0, False),
        (5.0, 8.0, False),
        (2.6, 2.2, True),
        (0.0, 0.7, True),
        (0.0, 0.6, False),  # more than six times
    ],
)
def test_the_farther_apart_two_cracks_are_the_more_alike_they_must_be(
    *, apart_m: float, after_m: float, one_thing: bool
) -> None:
    before = [_crack(0, 4.0, sigma_m=1.5)]
    after = [_crack(apart_m, after_m, number=1, sigma_m=1.5)]
    assert bool(match(placed(before, PLANE), placed(after, PLANE))) is one_thing


@pytest.mark.parametrize(
    ("apart_m", "radius", "one_thing"),
    [(5.0, 0.3, True), (5.0, 0.6, False), (0.6, 0.6, True), (6.9, 0.3, False), (0.5, 0.8, False)],
)
def test_the_farther_apart_two_holes_are_the_more_alike_they_must_be(
    *, apart_m: float, radius: float, one_thing: bool
) -> None:
    before, after = hole(0, sigma_m=1.5), hole(apart_m, radius=radius, number=1, sigma_m=1.5)
    assert bool(match(placed([before], PLANE), placed([after], PLANE))) is one_thing


def test_a_size_that_one_survey_lacks_is_not_compared() -> None:
    assert growth(hole(0, area_m2=0.3), hole(0)) == ()


def test_gone_and_new_only_where_the_other_survey_looked() -> None:
    near = degrees(shapely.box(-2, -2, 2, 2))
    assert fates([hole(0)], [], seen_after=near) == [Fate.GONE]
    assert fates([hole(50)], [], seen_after=near) == [Fate.NOT_SEEN]
    assert fates([hole(2)], [], seen_after=near) == [Fate.NOT_SEEN]
    assert fates([hole(0, sigma_m=3.0)], [], seen_after=near) == [Fate.NOT_SEEN]
    assert fates([], [hole(50)], seen_before=near) == [Fate.NOT_SEEN_BEFORE]
    assert fates([hole(0)], [], seen_after=NOWHERE) == [Fate.NOT_SEEN]


def test_as_many_pairs_as_possible_and_of_those_the_nearest() -> None:
    before = [hole(0.0), hole(0.45, number=1)]
    after = [hole(0.4, number=2), hole(0.9, number=3)]
    pairs = match(placed(before, PLANE), placed(after, PLANE))
    assert [(one.before, one.after) for one in pairs] == [(0, 0), (1, 1)]


def test_two_thousand_things_are_matched_without_comparing_all_with_all() -> None:
    rng = np.random.default_rng(0)
    places = np.column_stack((np.arange(2_000) * 3.0 % 400, np.arange(2_000) // 133 * 3.0))
    before = [finding(shapely.Point(xy).buffer(0.3, 2), number=n) for n, xy in enumerate(places)]
    moved = places + rng.normal(0, 0.1, places.shape)
    after = [finding(shapely.Point(xy).buffer(0.3, 2), number=n) for n, xy in enumerate(moved)]
    pairs = match(placed(before, PLANE), placed(after, PLANE))
    assert len(pairs) == 2_000
    assert all(one.before == one.after for one in pairs)


@st.composite
def surveys(draw: st.DrawFn) -> list[Finding]:
    found = []
    for number in range(draw(st.integers(0, 8))):
        x, y = draw(st.floats(0, 6)), draw(st.floats(0, 3))
        label = draw(st.sampled_from([POTHOLE, POTHOLE, CRACK, PATCH]))
        size = draw(st.floats(0.1, 3))
        figure = (
            shapely.LineString([(x, y), (x + size, y + 0.2)])
            if label is CRACK
            else shapely.Point(x, y).buffer(size / 3)
        )
        errors = Errors(position_m=draw(st.sampled_from([0.05, 0.5, None])), length_m=0.1, area_m2=0.02)
        sizes = {"length_m": size} if label is CRACK else {"area_m2": float(figure.area)}
        found.append(finding(figure, label, number=number, errors=errors, **sizes))
    return found


def _pairs(found: Sequence[Change]) -> set[tuple[str, str]]:
    return {
        (one.before.id, one.after.id) for one in found if one.before is not None and one.after is not None
    }


@settings(max_examples=25, deadline=None)
@given(surveys(), surveys(), st.randoms(use_true_random=False))
def test_order_and_direction_do_not_matter_and_everything_is_told_once(
    before: list[Finding], after: list[Finding], chance: random.Random
) -> None:
    after = [msgspec.structs.replace(one, id=str(uuid.UUID(int=1000 + n))) for n, one in enumerate(after)]
    found = told(before, after)
    mixed = told(chance.sample(before, len(before)), chance.sample(after, len(after)))
    assert mixed == found
    back = told(after, before)
    assert _pairs(back) == {(b, a) for a, b in _pairs(found)}
    assert sorted(one.before.id for one in found if one.before is not None) == [one.id for one in before]
    assert sorted(one.after.id for one in found if one.after is not None) == [one.id for one in after]
    kept = {(one.before.id, one.after.id): one.fate for one in found if one.before and one.after}
    for one in back:
        if one.before and one.after:
            smaller = Fate.SHRUNK if one.label is PATCH else Fate.DOUBTFUL
            turned = {Fate.GROWN: smaller, smaller: Fate.GROWN}
            assert one.fate is turned.get(fate := kept[one.after.id, one.before.id], fate)


@settings(max_examples=25, deadline=None)
@given(surveys())
def test_a_survey_compared_with_itself_has_everything_and_nothing_grew(before: list[Finding]) -> None:
    found = told(before, before)
    assert all(one.apart_m is not None for one in found)
    assert {one.fate for one in found} <= {Fate.SAME}
    assert len(found) == len(before)
