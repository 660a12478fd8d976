"""How detector and reviewers agree, and the labels that reviews become."""

import csv
import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serayu.models.survey.finding import DefectClass
from serayu.models.survey.labels import labels_zip, yolo_lines
from serayu.models.survey.photo import FindingBox, PhotoBoxes
from serayu.models.survey.review import Judgement, Review, Tally, Words, agreement, cohen_kappa, wilson

POTHOLE, PATCH = DefectClass.POTHOLE, DefectClass.PATCH_REPAIR
LABELS = {"a": POTHOLE, "b": POTHOLE, "c": PATCH, "d": PATCH}


def said(
    finding: str, judgement: str, label: DefectClass | None, *, by: str = "k1", number: int = 1
) -> Review:
    return Review(
        id=number, finding=finding, survey="s", judgement=Judgement(judgement), label=label, by=by,
        name={"k1": "Ani", "k2": "Budi"}[by], at_us=0,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0), (1, 1, 0.2065, 1.0),
     (81, 263, 0.2553, 0.3662)],
)  # fmt: skip
def test_wilsons_interval_is_the_published_one(hits: int, n: int, low: float, high: float) -> None:
    """81 of 263 is the example of Newcombe 1998, Stat. Med. 17: 0.2553 to 0.3662."""
    assert wilson(hits, n) == pytest.approx((low, high), abs=1e-4)


@pytest.mark.parametrize(("hits", "n"), [(0, 0), (-1, 3), (4, 3)])
def test_a_share_that_is_none_has_no_interval(hits: int, n: int) -> None:
    with pytest.raises(ValueError, match="is no share"):
        wilson(hits, n)


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([], None),
        ([("a", "a")], None),
        ([("a", "a"), ("b", "b")], 1.0),
        ([("a", "b"), ("b", "a")], -1.0),
        ([("y", "y")] * 20 + [("y", "n")] * 5 + [("n", "y")] * 10 + [("n", "n")] * 15, 0.4),
        ([("a", None), (None, None)], 0.0),
    ],
)
def test_kappa_of_known_tables(pairs: list[tuple[str | None, str | None]], expected: float | None) -> None:
    assert cohen_kappa(pairs) == (None if expected is None else pytest.approx(expected))


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=1, max_size=30))
def test_kappa_does_not_depend_on_who_is_first_and_is_at_most_one(pairs: list[tuple[str, str]]) -> None:
    kappa = cohen_kappa(pairs)
    turned = cohen_kappa([(two, one) for one, two in pairs])
    assert kappa == turned
    assert kappa is None or -1 <= kappa <= 1


def test_agreement_is_told_by_class_together_and_of_each_two_people() -> None:
    last = {
        (POTHOLE, Judgement.CONFIRMED): 1,
        (POTHOLE, Judgement.CORRECTED): 1,
        (PATCH, Judgement.CONFIRMED): 2,
    }
    both: dict[tuple[str, str], dict[Words, int]] = {
        ("k1", "k2"): {(POTHOLE, POTHOLE): 20, (POTHOLE, None): 5, (None, POTHOLE): 10, (None, None): 15},
        ("k0", "k2"): {(PATCH, PATCH): 3},
    }
    found = agreement(Tally(6, last, both, {"k0": "Citra", "k1": "Budi", "k2": "Ani"}))
    assert (found.findings, found.reviewed, found.all.precision) == (6, 4, 0.75)
    hole = found.classes["pothole"]
    assert (hole.confirmed, hole.corrected, hole.rejected, hole.precision) == (1, 1, 0, 0.5)
    assert hole.interval == wilson(1, 2)
    assert found.classes.keys() == {"pothole", "patch_repair"}
    assert [(one.reviewers, one.both, one.same) for one in found.reviewers] == [
        (("Ani", "Budi"), 50, 35),
        (("Ani", "Citra"), 3, 3),
    ]
    assert [one.kappa for one in found.reviewers] == [pytest.approx(0.4), None]


def test_without_reviews_nothing_is_claimed() -> None:
    found = agreement(Tally(4, {}, {}, {}))
    assert (found.findings, found.reviewed, found.classes, found.reviewers) == (4, 0, {}, ())
    assert (found.all.precision, found.all.interval) == (None, None)


def photo(name: str, *boxes: str, unplaced: int = 0) -> PhotoBoxes:
    edges = {"a": (0.0, 0.0, 100.0, 50.0), "b": (900.0, 400.0, 1001.0, 501.0), "c": (10.0, 10.0, 20.0, 20.0)}
    return PhotoBoxes(name, 1000, 500, unplaced, tuple(FindingBox(one, edges[one]) for one in boxes))


def test_confirmed_and_corrected_boxes_are_labels_and_rejected_ones_are_background() -> None:
    last = {"a": said("a", "benar", POTHOLE), "b": said("b", "ubah", PATCH), "c": said("c", "salah", None)}
    numbers = {one: list(DefectClass).index(one) for one in DefectClass}
    assert yolo_lines(photo("x.jpg", "a", "b", "c"), last) == [
        f"{numbers[POTHOLE]} 0.050000 0.050000 0.100000 0.100000",
        f"{numbers[PATCH]} 0.950000 0.900000 0.100000 0.200000",
    ]
    assert yolo_lines(photo("x.jpg", "c"), last) == []


def test_only_photos_whose_every_box_was_reviewed_are_ready_for_training() -> None:
    reviews = [
        said("a", "benar", POTHOLE),
        said("b", "salah", None),
        said("b", "benar", POTHOLE),
        said("c", "salah", None),
    ]
    photos = [
        ("s", photo("one.jpg", "a", "b")),
        ("s", photo("two.jpg", "a", unplaced=1)),
        ("s", photo("three.jpg", "c")),
        ("s", photo("four.jpg")),
    ]
    made = labels_zip(photos, reviews, LABELS)
    assert made == labels_zip(photos, reviews, LABELS)
    with zipfile.ZipFile(io.BytesIO(made)) as packed:
        files = {name: packed.read(name).decode() for name in packed.namelist()}
    assert files["classes.txt"].split() == [one.value for one in DefectClass]
    assert files["labels/s/three.txt"] == ""
    assert files["labels/s/one.txt"].count("\n") == 2
    assert files["partial/s/two.txt"].count("\n") == 1
    assert not any("four" in name for name in files)
    rows = list(csv.DictReader(io.StringIO(files["photos.csv"])))
    assert [(row["photo"], row["boxes"], row["reviewed"], row["unplaced"]) for row in rows] == [
        ("one.jpg", "2", "2", "0"), ("two.jpg", "1", "1", "1"), ("three.jpg", "1", "1", "0"),
    ]  # fmt: skip
    spoken = {row["finding"]: row["judgement"] for row in csv.DictReader(io.StringIO(files["reviews.csv"]))}
    assert spoken == {"a": "benar", "b": "benar", "c": "salah"}


def test_photos_that_differ_in_their_suffix_alone_keep_their_labels_apart() -> None:
    photos = [
        ("s", PhotoBoxes(name, 10, 10, 0, (FindingBox(one, (0, 0, 5, 5)),)))
        for name, one in (("x.jpg", "a"), ("x.png", "c"))
    ]
    reviews = [said("a", "benar", POTHOLE), said("c", "benar", PATCH)]
    with zipfile.ZipFile(io.BytesIO(labels_zip(photos, reviews, LABELS))) as packed:
        made = {
            name: packed.read(name).decode()[0] for name in packed.namelist() if name.startswith("labels/")
        }
    assert made == {"labels/s/x.jpg.txt": "3", "labels/s/x.png.txt": "4"}


def test_a_name_cannot_become_a_formula() -> None:
    evil = Review(
        id=1,
        finding="a",
        survey="s",
        judgement=Judgement.CONFIRMED,
        label=POTHOLE,
        by="k",
        name="=1+1",
        at_us=0,
    )
    with zipfile.ZipFile(io.BytesIO(labels_zip([], [evil], LABELS))) as packed:
        assert "'=1+1" in packed.read("reviews.csv").decode()
