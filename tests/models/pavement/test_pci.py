"""The pavement condition index: curves that only rise, the standard's own sample, bounds, and what never happens."""

import math
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serayu.models.pavement.curves import corrected_deduct, curves_of, deduct_value, distresses
from serayu.models.pavement.distress import UNITS, Distress, chart_density, metric_deduct
from serayu.models.pavement.pci import (
    OlderRating,
    Rating,
    allowable_deducts,
    monotone_max_cdv,
    older_rating,
    pci,
    rating,
)

CURVES = [(distress, severity) for distress in distresses() for severity in curves_of(distress)]
DEDUCTS = st.lists(st.floats(0, 100), max_size=12)
DENSITIES = st.floats(0, 400)
GRID = 0.15  # of the levels at which the monotone index is looked for: below a tenth of what a person can say


def test_every_distress_has_curves_and_a_unit() -> None:
    assert set(distresses()) == {distress.value for distress in Distress} == {one.value for one in UNITS}


@given(st.sampled_from(CURVES), DENSITIES, DENSITIES)
def test_a_denser_distress_never_deducts_less(curve: tuple[str, str], first: float, second: float) -> None:
    low, high = sorted((first, second))
    assert 0 <= deduct_value(*curve, low) <= deduct_value(*curve, high) <= 100


@given(st.sampled_from(distresses()), DENSITIES)
def test_a_worse_severity_never_deducts_less(distress: str, density: float) -> None:
    values = [deduct_value(distress, severity, density) for severity in curves_of(distress)]
    assert values == sorted(values)


@pytest.mark.parametrize(
    ("distress", "severity", "density", "expected"),
    [
        pytest.param("alligator", "M", 0.0, 0.0, id="none"),
        pytest.param("alligator", "M", 0.1, 7.1, id="at the lower end of the fit"),
        pytest.param("alligator", "M", 0.05, 3.55, id="in proportion below it"),
        pytest.param("alligator", "M", 1.0, 21.6, id="where the logarithm is 0"),
        pytest.param("alligator", "M", 10.0, 47.0, id="in the middle"),
        pytest.param("alligator", "M", 100.0, 78.0, id="all of it"),
        pytest.param("alligator", "M", 250.0, 78.0, id="more than all stays"),
        pytest.param("rutting", "L", 10.0, 28.1, id="rutting"),
        pytest.param("long_trans", "H", 50.0, 91.7, id="before the fit turns down"),
        pytest.param("long_trans", "H", 100.0, 91.7, id="where the fit falls to 74.7 the maximum is kept"),
        pytest.param("potholes", "M", 0.1, 34.7, id="holes"),
        pytest.param("potholes", "H", 10.0, 100.0, id="clamped"),
    ],
)
def test_deducts_of_the_curves(distress: str, severity: str, density: float, expected: float) -> None:
    # Expected: read off the polynomials in the domain reference, section 1a, to one decimal.
    assert deduct_value(distress, severity, density) == pytest.approx(expected, abs=0.4)


@pytest.mark.parametrize(
    ("distress", "severity", "density", "reason"),
    [
        ("moon", "L", 1.0, "no deduct curve for 'moon'"),
        ("raveling", "L", 1.0, "no deduct curve for raveling at severity 'L': expected M, H"),
        ("alligator", "X", 1.0, "at severity 'X'"),
        ("alligator", "L", -0.1, "not below 0"),
        ("alligator", "L", math.nan, "not below 0"),
        ("alligator", "L", math.inf, "not below 0"),
    ],
)
def test_a_deduct_of_nonsense_is_refused(distress: str, severity: str, density: float, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        deduct_value(distress, severity, density)


@pytest.mark.parametrize(
    ("distress", "quantity", "area_m2", "expected"),
    [
        pytest.param(Distress.ALLIGATOR, 5.0, 100.0, 5.0, id="a share of the area has no unit"),
        pytest.param(Distress.LONG_TRANS, 8.67, 100.0, 2.6426, id="metres become feet"),
        pytest.param(Distress.POTHOLES, 1.0, 100.0, 0.0929, id="per square metre becomes per square foot"),
        pytest.param(Distress.POTHOLES, 0.0, 100.0, 0.0, id="none"),
    ],
)
def test_density_in_the_units_of_the_charts(
    distress: Distress, quantity: float, area_m2: float, expected: float
) -> None:
    assert chart_density(distress, quantity, area_m2=area_m2) == pytest.approx(expected, abs=1e-4)


def test_the_same_road_measured_in_feet_has_the_same_deduct() -> None:
    # 30 ft of crack and 2 holes on 2500 ft²: density is feet or holes per 100 ft².
    area_m2 = 2500 * 0.09290304
    assert metric_deduct(Distress.LONG_TRANS, "M", 30 * 0.3048, area_m2=area_m2) == pytest.approx(
        deduct_value("long_trans", "M", 100 * 30 / 2500)
    )
    assert metric_deduct(Distress.POTHOLES, "M", 2, area_m2=area_m2) == pytest.approx(
        deduct_value("potholes", "M", 100 * 2 / 2500)
    )


@pytest.mark.parametrize(
    ("quantity", "area_m2", "reason"),
    [(-1.0, 100.0, "quantity"), (math.nan, 100.0, "quantity"), (1.0, 0.0, "area"), (1.0, math.nan, "area")],
)
def test_a_density_of_nonsense_is_refused(quantity: float, area_m2: float, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        chart_density(Distress.ALLIGATOR, quantity, area_m2=area_m2)


def test_the_sample_of_the_standard_row_by_row() -> None:
    found = pci([25.1, 23.4, 17.9, 11.2, 7.9, 7.5, 6.9, 5.3])
    assert found.m == pytest.approx(7.88, abs=0.005)
    assert found.deducts[-1] == pytest.approx(4.7, abs=0.05)
    # Totals, q and corrected values as the domain reference, section 1a, prints them.
    expected = [
        (104.6, 8, 51.4), (101.9, 7, 50.1), (97.0, 6, 47.5), (91.5, 5, 47.4), (85.6, 4, 48.6), (76.4, 3, 48.8),
        (60.5, 2, 44.4), (39.1, 1, 39.1),
    ]  # fmt: skip
    assert [(round(row.total, 1), row.q, round(row.cdv, 1)) for row in found.rows] == expected
    assert found.pci == pytest.approx(48.6, abs=0.05)
    assert found.rating is Rating.POOR


@pytest.mark.parametrize(
    ("deducts", "expected"),
    [
        pytest.param([], 100.0, id="no distress"),
        pytest.param([0.0, 0.0], 100.0, id="nothing to deduct"),
        pytest.param([1.5, 1.0], 97.5, id="none above 2: the total"),
        pytest.param([30.0, 2.0], 68.0, id="2 itself is not counted"),
        pytest.param([100.0], 0.0, id="one takes all"),
        pytest.param([100.0] * 12, 0.0, id="never below 0"),
    ],
)
def test_an_index_from_few_deducts(deducts: list[float], expected: float) -> None:
    assert pci(deducts).pci == pytest.approx(expected)


def test_at_most_ten_deducts_are_kept() -> None:
    assert allowable_deducts(0) == allowable_deducts(2) == 10
    assert allowable_deducts(100) == 1
    assert len(pci([1.9] * 12).deducts) == 10


@pytest.mark.parametrize("bad", [-0.1, 100.1, math.nan, math.inf])
def test_deducts_and_indices_out_of_range_are_refused(bad: float) -> None:
    for refuse in (
        lambda: pci([bad]),
        lambda: allowable_deducts(bad),
        lambda: rating(bad),
        lambda: older_rating(bad),
    ):
        with pytest.raises(ValueError, match="must be 0 to 100"):
            refuse()
    with pytest.raises(ValueError, match="q must be"):
        corrected_deduct(10, 0)
    with pytest.raises(ValueError, match="total"):
        corrected_deduct(math.nan, 1)


@given(st.floats(0, 1000), st.floats(0, 1000), st.integers(1, 12))
def test_a_larger_total_never_corrects_to_less(first: float, second: float, q: int) -> None:
    low, high = sorted((first, second))
    assert 0 <= corrected_deduct(low, q) <= corrected_deduct(high, q) <= min(100, high)


@given(DEDUCTS, st.randoms())
def test_the_order_of_deducts_does_not_matter(deducts: list[float], random: object) -> None:
    shuffled = list(deducts)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert pci(shuffled) == pci(deducts)


@given(DEDUCTS, st.integers(0, 11), st.floats(0, 100))
def test_the_monotone_value_never_falls_when_a_deduct_grows(
    deducts: list[float], index: int, more: float
) -> None:
    worse = list(deducts) or [0.0]
    worse[index % len(worse)] = min(worse[index % len(worse)] + more, 100.0)
    assert monotone_max_cdv(worse) >= monotone_max_cdv(deducts) - GRID
    assert monotone_max_cdv([*deducts, more]) >= monotone_max_cdv(deducts) - GRID


@given(DEDUCTS)
def test_the_monotone_value_is_the_standards_where_all_deducts_are_kept_and_never_below_it(
    deducts: list[float],
) -> None:
    standard, monotone = pci(deducts), monotone_max_cdv(deducts)
    assert monotone >= standard.max_cdv
    if sum(deduct > 0 for deduct in deducts) <= standard.m:
        assert monotone == standard.max_cdv


def test_the_standard_itself_can_rise_with_more_damage_and_the_monotone_value_cannot() -> None:
    before = [27, 38, 19, 31, 24, 22, 36, 36, 54]
    after = [*before[:-1], 74]
    assert pci(after).pci > pci(before).pci + 4
    assert monotone_max_cdv(after) >= monotone_max_cdv(before)


@pytest.mark.parametrize(
    ("index", "expected", "older"),
    [
        (100, Rating.GOOD, OlderRating.EXCELLENT), (85, Rating.GOOD, OlderRating.VERY_GOOD),
        (84.99, Rating.SATISFACTORY, OlderRating.VERY_GOOD), (70, Rating.SATISFACTORY, OlderRating.GOOD),
        (55, Rating.FAIR, OlderRating.FAIR), (40, Rating.POOR, OlderRating.POOR),
        (25, Rating.VERY_POOR, OlderRating.VERY_POOR), (10, Rating.SERIOUS, OlderRating.FAILED),
        (9.99, Rating.FAILED, OlderRating.FAILED), (0, Rating.FAILED, OlderRating.FAILED),
    ],
)  # fmt: skip
def test_ratings_at_their_limits(index: float, expected: Rating, older: OlderRating) -> None:
    assert rating(index) is expected
    assert older_rating(index) is older


def test_ratings_have_names_in_both_languages() -> None:
    assert (Rating.VERY_POOR.name_in(), Rating.VERY_POOR.name_in("en")) == ("Sangat Buruk", "Very Poor")
    assert OlderRating.EXCELLENT.name_in() == "Sempurna"
    for names in (Rating, OlderRating):
        assert (
            len({one.name_in() for one in names}) == len({one.name_in("en") for one in names}) == len(names)
        )


def test_the_notice_of_the_curves_is_shipped_with_them() -> None:
    folder = resources.files("serayu.models").joinpath("data", "pavement")
    assert "Copyright 2022 Esri" in folder.joinpath("NOTICE.txt").read_text("utf-8")
    assert "Apache License" in folder.joinpath("LICENSE-Apache-2.0.txt").read_text("utf-8")
