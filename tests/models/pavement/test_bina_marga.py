"""SDI in its four steps, classes, the matrix in both variants, treatment and soundness."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serayu.models.pavement.bina_marga import (
    Condition,
    Soundness,
    Treatment,
    iri_class,
    matrix,
    sdi,
    sdi_class,
    sdi_rules,
    soundness,
    treatment,
    treatments_of,
    variants,
)

BAIK, SEDANG, RINGAN, BERAT = Condition


def index(
    area: float = 0, width: float = 0, holes: float = 0, rut: float = 0, *, variant: str | None = None
) -> float:
    return sdi(
        crack_area_pct=area,
        crack_width_mm=width,
        potholes_per_km=holes,
        rut_depth_cm=rut,
        rules=sdi_rules(variant),
    ).sdi


@pytest.mark.parametrize(
    ("area", "width", "holes", "rut", "expected"),
    [
        pytest.param(0, 0, 0, 0, 0, id="sound"),
        pytest.param(0.001, 0, 0, 0, 5, id="any crack"),
        pytest.param(9.99, 0, 0, 0, 5, id="below 10 %"),
        pytest.param(10, 0, 0, 0, 20, id="10 %"),
        pytest.param(30, 0, 0, 0, 20, id="30 %"),
        pytest.param(30.01, 0, 0, 0, 40, id="above 30 %"),
        pytest.param(100, 3, 0, 0, 40, id="3 mm is not wide"),
        pytest.param(100, 3.01, 0, 0, 80, id="wide doubles"),
        pytest.param(100, math.inf, 0, 0, 80, id="wide without a number"),
        pytest.param(0, math.inf, 0, 0, 0, id="no crack has no width"),
        pytest.param(0, 0, 9.9, 0, 15, id="below 10 holes per km"),
        pytest.param(0, 0, 10, 0, 75, id="10 holes"),
        pytest.param(0, 0, 50, 0, 75, id="50 holes"),
        pytest.param(0, 0, 50.1, 0, 225, id="above 50 holes"),
        pytest.param(0, 0, 0, 0.99, 2.5, id="rut below 1 cm"),
        pytest.param(0, 0, 0, 1, 10, id="rut of 1 cm"),
        pytest.param(0, 0, 0, 3, 10, id="rut of 3 cm"),
        pytest.param(0, 0, 0, 3.01, 20, id="rut above 3 cm"),
        pytest.param(40, 5, 60, 4, 325, id="the worst there is"),
    ],
)
def test_points_at_every_limit(area: float, width: float, holes: float, rut: float, expected: float) -> None:
    assert index(area, width, holes, rut) == expected


@pytest.mark.parametrize(
    "bad",
    [{"area": -1}, {"area": 101}, {"area": math.nan}, {"width": -1}, {"holes": math.nan}, {"rut": -0.1}],
)
def test_quantities_out_of_range_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="got"):
        index(*(bad.get(name, 0.0) for name in ("area", "width", "holes", "rut")))


def test_doubts_are_data_and_say_who_uses_them() -> None:
    assert index(holes=60) == 225
    assert index(holes=60, variant="potholes_255") == 255
    assert (index(area=25), index(area=25, variant="cracks_20")) == (20, 40)
    assert set(variants()) == {"potholes_255", "cracks_20"}
    assert all(variants().values())
    with pytest.raises(ValueError, match="no SDI variant 'moon'"):
        sdi_rules("moon")


@given(*(st.floats(0, 100) for _ in range(8)))
def test_more_of_anything_never_lowers_the_index(
    a: float, b: float, c: float, d: float, e: float, f: float, g: float, h: float
) -> None:
    low = index(min(a, b), min(c, d), min(e, f), min(g, h))
    assert low <= index(max(a, b), max(c, d), max(e, f), max(g, h))


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, BAIK), (49.99, BAIK), (50, SEDANG), (100, SEDANG), (100.1, RINGAN), (150, RINGAN), (150.1, BERAT)],
)
def test_classes_of_sdi(value: float, expected: Condition) -> None:
    assert sdi_class(value) is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, BAIK), (4, BAIK), (4.01, SEDANG), (8, SEDANG), (8.01, RINGAN), (12, RINGAN), (12.01, BERAT)],
)
def test_classes_of_iri(value: float, expected: Condition) -> None:
    assert iri_class(value) is expected


@pytest.mark.parametrize("bad", [-1, math.nan])
def test_classes_of_nonsense_are_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="SDI must be"):
        sdi_class(bad)
    with pytest.raises(ValueError, match="IRI must be"):
        iri_class(bad)


# The table of the domain reference, section 1b; columns: SDI 20, 80, 120, 200.
TABLES = {
    "A": {3: "BSSR", 6: "SSRR", 10: "RRXX", 14: "XXXX"},
    "B": {3: "BSRX", 6: "SSRX", 10: "RRRX", 14: "XXXX"},
}
LETTERS = {"B": BAIK, "S": SEDANG, "R": RINGAN, "X": BERAT}


@pytest.mark.parametrize("variant", TABLES)
def test_every_cell_of_the_matrix(variant: str) -> None:
    for iri, letters in TABLES[variant].items():
        for value, letter in zip((20, 80, 120, 200), letters, strict=True):
            assert matrix(iri_m_per_km=iri, sdi_value=value, variant=variant) is LETTERS[letter]


def test_an_unknown_variant_of_the_matrix_is_refused() -> None:
    with pytest.raises(ValueError, match="'C': expected one of A, B"):
        matrix(iri_m_per_km=3, sdi_value=3, variant="C")


def test_treatment_by_cell_and_by_class() -> None:
    rows = [
        [treatment(iri_m_per_km=iri, sdi_value=value) for value in (20, 80, 120, 200)]
        for iri in (3, 6, 10, 14)
    ]
    routine, periodic, _, rebuild = Treatment
    assert rows[0] == rows[1] == [routine, routine, periodic, rebuild]
    assert rows[2] == [periodic, periodic, periodic, rebuild]
    assert rows[3] == [rebuild] * 4
    assert treatments_of(SEDANG) == (Treatment.RUTIN, Treatment.BERKALA)
    assert treatments_of(BERAT) == (Treatment.PENINGKATAN,)


def test_soundness_of_a_network() -> None:
    assert soundness({}) == Soundness(0, 0, None)
    assert soundness({BAIK: 1, SEDANG: 2, RINGAN: 1}) == Soundness(3, 1, 75)
    with pytest.raises(ValueError, match="length of baik"):
        soundness({BAIK: -1})


def test_conditions_and_treatments_have_names() -> None:
    assert (RINGAN.name_in(), RINGAN.name_in("en")) == ("Rusak Ringan", "Lightly Damaged")
    assert [one.mantap for one in Condition] == [True, True, False, False]
    assert all(one.name_in() and one.name_in("en") for one in Treatment)
