"""Condition of a segment: intervals instead of guesses, null instead of "none", and more damage is never better."""

import math
from dataclasses import replace
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serayu.models.pavement.bina_marga import Condition, sdi_rules
from serayu.models.pavement.cracks import crack_area_m2, mean_width_mm
from serayu.models.pavement.damage import Damage, crack_severities, pothole_severities
from serayu.models.pavement.distress import Distress, metric_deduct
from serayu.models.pavement.pci import Rating, pci
from serayu.models.pavement.segment import Interval, SegmentCondition, segment_condition
from serayu.models.roads.line import Surface
from serayu.models.survey.finding import DefectClass, Errors, Finding, Severity
from serayu.models.texts import text

LONG, TRANS, GATOR, HOLE, PATCH, SLIDE = DefectClass
L, M, H, OPEN = Severity
ROUNDING = 0.05  # the monotone index is looked for on a grid


def condition(*damages: Damage, **changes: object) -> SegmentCondition:
    known: dict[str, Any] = {"length_m": 100.0, "width_m": 5.0, "surveyed": 1.0, "surface": Surface.ASPAL}
    return segment_condition(damages, **(known | {"rut_depth_cm": Interval(0, 0)} | changes))


def missing(found: SegmentCondition) -> set[str]:
    return {key.removeprefix("pavement.missing.") for key in found.missing}


def errors(**sizes: float) -> Errors:
    return Errors(position_m=0.5, **sizes)


def test_a_photographed_segment_without_damage_is_sound() -> None:
    found = condition()
    assert (found.pci, found.pci_middle, found.sdi) == (Interval(100, 100), 100, Interval(0, 0))
    assert (found.crack_area_pct, found.potholes_per_km) == (Interval(0, 0), Interval(0, 0))
    assert (found.rating_worst, found.rating_best) == (Rating.GOOD, Rating.GOOD)
    assert (found.condition_best, found.condition_worst) == (Condition.BAIK, Condition.BAIK)
    assert missing(found) == {"distresses", "sample_unit"}


@pytest.mark.parametrize("surveyed", [None, 0.0, 0.89])
def test_what_was_not_photographed_is_unknown_and_not_sound(surveyed: float | None) -> None:
    for damages in ((), (Damage(HOLE, H, area_m2=0.1),)):
        found = condition(*damages, surveyed=surveyed)
        assert found == SegmentCondition(surveyed=surveyed, missing=("pavement.missing.not_surveyed",))
        assert found.pci is found.sdi is found.crack_area_pct is found.potholes_per_km is None


def test_an_index_of_nearly_all_of_a_segment_is_that_of_the_part_photographed() -> None:
    part = condition(Damage(GATOR, L, area_m2=45.0), surveyed=0.9)
    whole = condition(Damage(GATOR, L, area_m2=50.0))
    assert part.pci == whole.pci
    assert (part.crack_area_pct, part.surveyed) == (Interval(10, 10), 0.9)
    assert "partly_surveyed" in missing(part) - missing(whole)


def test_measured_damage_has_the_index_of_the_standard() -> None:
    found = condition(
        Damage(GATOR, M, area_m2=25.0),
        Damage(LONG, L, length_m=30.0, width_mm=4.0),
        Damage(TRANS, L, length_m=10.0, width_mm=4.0),
        Damage(HOLE, M, area_m2=0.07),
        Damage(PATCH, L, area_m2=5.0),
    )
    deducts = [
        metric_deduct(Distress.ALLIGATOR, "M", 25, area_m2=500),
        metric_deduct(Distress.LONG_TRANS, "L", 40, area_m2=500),
        metric_deduct(Distress.POTHOLES, "M", 1, area_m2=500),
        metric_deduct(Distress.PATCHING, "L", 5, area_m2=500),
    ]
    expected = pci(deducts).pci
    assert found.pci is not None
    assert (found.pci.low, found.pci.high, found.pci_middle) == pytest.approx((expected,) * 3)
    assert found.rating_best is found.rating_worst
    # 25 m² and 40 m x 0.5 m of 500 m²; alligator width is not measured; one hole on 100 m.
    assert found.crack_area_pct == Interval(9, 9)
    assert found.potholes_per_km == Interval(10, 10)
    assert found.sdi == Interval(5 + 75, 10 + 75)
    assert missing(found) == {"crack_width", "distresses", "sample_unit"}


def test_a_severity_that_was_not_measured_makes_a_range_from_low_to_high() -> None:
    low, high = (condition(Damage(GATOR, one, area_m2=25.0)).pci for one in (L, H))
    found = condition(Damage(GATOR, OPEN, area_m2=25.0))
    assert low is not None
    assert high is not None
    assert found.pci is not None
    assert found.pci.high == low.high
    assert found.pci.low <= high.low, "half of it in each of two severities can be worse than all in one"
    assert found.pci_middle is None
    assert found.rating_best is not found.rating_worst
    assert "severity" in missing(found)


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        pytest.param(Damage(GATOR), (L, H), id="alligator"),
        pytest.param(Damage(PATCH, area_m2=2.0), (L, H), id="patch"),
        pytest.param(Damage(LONG, length_m=2.0), (L, H), id="crack of unknown width"),
        pytest.param(Damage(LONG, width_mm=5.0), (L, L), id="fine crack"),
        pytest.param(Damage(TRANS, width_mm=10.0), (M, M), id="at the first limit"),
        pytest.param(Damage(TRANS, width_mm=75.0), (M, M), id="at the second limit"),
        pytest.param(Damage(TRANS, width_mm=76.0), (H, H), id="wide crack"),
        pytest.param(Damage(LONG, width_mm=9.0, errors=errors(width_mm=1.0)), (L, M), id="within its error"),
        pytest.param(Damage(LONG, L, width_mm=90.0), (L, L), id="measured otherwise: a filled crack"),
        pytest.param(Damage(HOLE), (L, H), id="hole of unknown size"),
        pytest.param(Damage(HOLE, area_m2=0.02), (L, M), id="small hole"),
        pytest.param(Damage(HOLE, area_m2=0.1), (L, M), id="middling hole"),
        pytest.param(Damage(HOLE, area_m2=0.2), (M, H), id="large hole"),
        pytest.param(
            Damage(HOLE, area_m2=0.1, errors=errors(area_m2=0.04)), (L, H), id="hole of unsure size"
        ),
        pytest.param(Damage(HOLE, H, area_m2=0.02), (H, H), id="measured depth"),
    ],
)
def test_severities_that_a_thing_can_have(damage: Damage, expected: tuple[Severity, Severity]) -> None:
    assert damage.severities == expected


def test_classes_of_potholes_are_those_of_the_standards_table() -> None:
    area = [math.pi / 4 * (mm / 1000) ** 2 for mm in (150, 199, 201, 449, 451, 740)]
    assert [pothole_severities((one, one)) for one in area] == [(L, M)] * 4 + [(M, H)] * 2
    assert crack_severities((0, 100)) == (L, H)


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        pytest.param(Damage(HOLE), (1, 1, 1), id="a hole is one"),
        pytest.param(Damage(HOLE, area_m2=0.44), (1, 1, 1), id="just below 750 mm"),
        pytest.param(
            Damage(HOLE, area_m2=0.45), (1, 1, 1), id="just above, but less than half a square metre"
        ),
        pytest.param(Damage(HOLE, area_m2=2.0, errors=errors(area_m2=0.5)), (2, 4, 6), id="a crater is many"),
        pytest.param(
            Damage(LONG, length_m=5.0, errors=errors(length_m=3.0)), (0, 5, 11), id="no negative length"
        ),
        pytest.param(Damage(GATOR, area_m2=5.0), (5, 5, 5), id="no error stated"),
        pytest.param(Damage(GATOR, length_m=5.0), None, id="alligator cracking has an area"),
        pytest.param(Damage(TRANS, area_m2=5.0), None, id="a crack has a length"),
    ],
)
def test_what_the_standard_counts_of_a_thing(damage: Damage, expected: tuple[float, ...] | None) -> None:
    assert damage.quantity == (None if expected is None else pytest.approx(expected))


def test_sizes_are_within_two_standard_errors() -> None:
    found = condition(Damage(GATOR, M, area_m2=25.0, errors=errors(area_m2=5.0)))
    ends = [condition(Damage(GATOR, M, area_m2=area)).pci for area in (35.0, 25.0, 15.0)]
    assert None not in ends
    assert [found.pci and found.pci.low, found.pci_middle, found.pci and found.pci.high] == [
        one.low for one in ends if one is not None
    ]
    assert found.crack_area_pct == Interval(3, 7)


def test_a_doubtful_thing_counts_only_at_the_worse_end() -> None:
    sure, doubtful = Damage(HOLE, M, score=0.5), Damage(HOLE, M, score=0.49)
    found = condition(sure, doubtful)
    assert found.potholes_per_km == Interval(10, 20)
    one, two = condition(sure).pci, condition(sure, sure).pci
    assert one is not None
    assert two is not None
    assert found.pci == Interval(two.low, one.high)
    assert "score" in missing(found)
    only = condition(doubtful)
    assert only.sdi == Interval(0, 75)
    assert (only.condition_best, only.condition_worst) == (Condition.BAIK, Condition.SEDANG)


def test_a_road_of_unknown_width_has_no_pci_and_no_crack_area_but_an_sdi_between_bounds() -> None:
    found = condition(Damage(LONG, L, length_m=10.0, width_mm=1.0), width_m=None)
    assert (found.pci, found.rating_best, found.crack_area_pct) == (None, None, None)
    assert found.sdi == Interval(5, 40), "1 mm is not wide, whatever the area"
    assert "road_width" in missing(found)
    assert "distresses" not in missing(found)
    assert condition(width_m=None).sdi == Interval(0, 0)
    assert condition(width_m=None).crack_area_pct == Interval(0, 0)


def test_a_size_that_was_not_measured_leaves_no_pci() -> None:
    found = condition(Damage(GATOR, M), Damage(HOLE, M, area_m2=0.1))
    assert (found.pci, found.pci_middle, found.crack_area_pct) == (None, None, None)
    assert found.sdi == Interval(5 + 75, 80 + 75)
    assert "size" in missing(found)
    patch = condition(Damage(PATCH, M))
    assert (patch.pci, patch.sdi, patch.crack_area_pct) == (None, Interval(0, 0), Interval(0, 0))


def test_the_crack_width_step_is_open_where_no_width_was_measured() -> None:
    wide, fine, unknown = (Damage(LONG, M, length_m=150.0, width_mm=mm) for mm in (5.0, 2.0, None))
    assert condition(wide).sdi == Interval(40, 40)
    assert condition(fine).sdi == Interval(20, 20)
    assert condition(unknown).sdi == Interval(20, 40)
    assert condition(wide, unknown).sdi == Interval(20, 40), "half of them may have no width"
    assert condition(replace(wide, width_mm=7.0), unknown).sdi == Interval(40, 40), (
        "the mean is at least 3.5 mm"
    )
    assert condition(replace(wide, width_mm=3.5, errors=errors(width_mm=0.3))).sdi == Interval(20, 40)


def test_ruts_that_nobody_measured_open_the_sdi_by_their_worst_points() -> None:
    found = condition(Damage(HOLE, L), rut_depth_cm=None)
    assert found.sdi == Interval(75, 95)
    assert "rut" in missing(found)
    assert condition(rut_depth_cm=Interval(0.5, 2)).sdi == Interval(2.5, 10)


def test_a_mean_width_takes_the_doubtful_cracks_that_widen_its_bounds() -> None:
    one = Damage(LONG, length_m=10.0, width_mm=4.0)
    thin, wide = replace(one, width_mm=1.0, score=0.1), replace(one, width_mm=10.0, score=0.1)
    assert mean_width_mm([], []) == (0, 0)
    assert mean_width_mm([one], []) == (4, 4)
    assert mean_width_mm([one], [thin, wide]) == (2.5, 7)
    assert mean_width_mm([], [thin, wide]) == (1, 10)
    assert mean_width_mm([one, Damage(GATOR)], []) == (0, math.inf)
    assert mean_width_mm([one, replace(one, width_mm=None)], []) == (2, math.inf)


def test_single_cracks_stand_for_strips_and_alligator_cracking_for_itself() -> None:
    assert crack_area_m2(Damage(TRANS, length_m=4.0)) == (2, 2)
    assert crack_area_m2(Damage(GATOR, area_m2=4.0, length_m=9.0)) == (4, 4)
    assert crack_area_m2(Damage(GATOR, length_m=9.0)) is None
    assert condition(*[Damage(GATOR, L, area_m2=400.0)] * 2).crack_area_pct == Interval(100, 100)


def test_other_surfaces_have_neither_index_and_an_unknown_one_is_noted() -> None:
    for surface in set(Surface) - {Surface.ASPAL}:
        assert condition(surface=surface) == SegmentCondition(
            surveyed=1.0, missing=("pavement.missing.not_asphalt",)
        )
    assert "surface" in missing(condition(surface=None))


def test_a_landslide_is_no_distress_of_the_pavement() -> None:
    assert condition(Damage(SLIDE, area_m2=900.0)) == condition()


def test_the_sample_unit_and_a_variant_of_the_sdi_are_taken_as_told() -> None:
    assert "sample_unit" not in missing(condition(length_m=45.0))
    holes = [Damage(HOLE, L)] * 6
    assert condition(*holes).sdi == Interval(225, 225)
    assert condition(*holes, rules=sdi_rules("potholes_255")).sdi == Interval(255, 255)


def test_a_finding_becomes_damage() -> None:
    finding = Finding(
        id="1", survey="s", label=LONG, score=0.7, ruas="1", km=0.1, side=None, length_m=2.0, width_mm=3.0,
        area_m2=None, severity=L, errors=errors(length_m=0.1), photo="a.jpg", photos=("a.jpg",), time=None,
        geometry={"type": "Point", "coordinates": [109, -7]},
    )  # fmt: skip
    assert Damage.of(finding) == Damage(LONG, L, 2.0, 3.0, None, errors(length_m=0.1), 0.7)


def test_every_reason_has_a_text_and_the_whole_is_json() -> None:
    found = condition(Damage(GATOR, score=0.1), width_m=None, surface=None, rut_depth_cm=None, surveyed=0.95)
    keys = {
        *found.missing,
        *condition().missing,
        *condition(surveyed=0).missing,
        *condition(surface=Surface.TANAH).missing,
    }
    assert all(text(key) and text(key, "en") for key in keys)
    assert missing(found) == {
        "partly_surveyed", "surface", "road_width", "rut", "size", "severity", "crack_width", "score",
    }  # fmt: skip
    document = msgspec.json.decode(msgspec.json.encode(condition(Damage(HOLE, L))))
    assert document["potholes_per_km"] == {"low": 10.0, "high": 10.0}
    assert document["condition_worst"] == "sedang"


@pytest.mark.parametrize(
    "changes",
    [
        {"length_m": 0.0}, {"length_m": math.nan}, {"width_m": -1.0}, {"surveyed": 1.1}, {"surveyed": math.nan},
        {"rut_depth_cm": Interval(2, 1)}, {"rut_depth_cm": Interval(math.nan, 1)},
    ],
)  # fmt: skip
def test_nonsense_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be"):
        condition(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"length_m": -1.0}, {"width_mm": math.nan}, {"area_m2": math.inf}, {"score": 1.1}, {"score": math.nan},
        {"errors": errors(area_m2=-1.0)},
    ],
)  # fmt: skip
def test_damage_of_nonsense_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"alligator_crack: .* must be"):
        Damage(GATOR, **changes)


@st.composite
def damages(draw: st.DrawFn) -> Damage:
    label = draw(st.sampled_from([LONG, TRANS, GATOR, HOLE, PATCH]))
    return Damage(
        label,
        draw(st.sampled_from([L, M, H, OPEN])),
        draw(st.floats(0, 120)),
        draw(st.none() | st.floats(0, 100)),
        draw(st.floats(0, 3 if label is HOLE else 200)),
        errors(
            length_m=draw(st.floats(0, 5)), width_mm=draw(st.floats(0, 5)), area_m2=draw(st.floats(0, 0.5))
        ),
        draw(st.none() | st.floats(0, 1)),
    )


def bounds(found: SegmentCondition) -> tuple[float, float, float, float]:
    assert found.pci is not None
    assert found.sdi is not None
    return found.pci.low, found.pci.high, found.sdi.low, found.sdi.high


@settings(max_examples=40, deadline=None)
@given(st.lists(damages(), max_size=6))
def test_intervals_are_in_order_and_hold_the_middle(found: list[Damage]) -> None:
    result = condition(*found)
    low, high, sdi_low, sdi_high = bounds(result)
    assert 0 <= low <= high + ROUNDING <= 100 + ROUNDING
    assert sdi_low <= sdi_high
    if result.pci_middle is not None:
        assert low - ROUNDING <= result.pci_middle <= high + ROUNDING
    assert bounds(condition(*found[::-1])) == pytest.approx(bounds(result))


@settings(max_examples=40, deadline=None)
@given(st.lists(damages(), max_size=5), damages())
def test_one_more_thing_never_raises_the_pci(found: list[Damage], more: Damage) -> None:
    before, after = bounds(condition(*found)), bounds(condition(*found, more))
    assert after[0] <= before[0] + ROUNDING
    assert after[1] <= before[1] + ROUNDING


@settings(max_examples=40, deadline=None)
@given(st.lists(damages(), max_size=4), damages(), st.floats(1, 4))
def test_a_larger_thing_never_raises_the_pci(found: list[Damage], one: Damage, factor: float) -> None:
    larger = replace(
        one,
        severity=M if one.severity is OPEN else one.severity,
        length_m=one.length_m and one.length_m * factor,
        area_m2=one.area_m2 and one.area_m2 * factor,
    )
    smaller = replace(larger, length_m=one.length_m, area_m2=one.area_m2)
    before, after = bounds(condition(*found, smaller)), bounds(condition(*found, larger))
    assert after[0] <= before[0] + ROUNDING
    assert after[1] <= before[1] + ROUNDING


@settings(max_examples=40, deadline=None)
@given(st.lists(damages(), max_size=5))
def test_worse_severities_of_everything_never_raise_the_pci(found: list[Damage]) -> None:
    ends = [
        bounds(condition(*(replace(one, severity=severity) for one in found)))[:2] for severity in (L, M, H)
    ]
    for better, worse in pairwise(ends):
        assert all(worse[end] <= better[end] + ROUNDING for end in (0, 1))


@settings(max_examples=40, deadline=None)
@given(st.lists(damages(), max_size=5), st.sampled_from([L, M, H]))
def test_the_index_of_any_one_severity_is_within_the_interval_of_an_unmeasured_one(
    found: list[Damage], severity: Severity
) -> None:
    unknown = [replace(one, severity=OPEN, width_mm=None) for one in found if one.label is not HOLE]
    low, high, *_ = bounds(condition(*unknown))
    inner_low, inner_high, *_ = bounds(condition(*(replace(one, severity=severity) for one in unknown)))
    assert low - ROUNDING <= inner_low
    assert inner_high <= high + ROUNDING
