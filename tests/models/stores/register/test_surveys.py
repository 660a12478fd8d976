"""Surveys and reviews in the register, on SQLite and on a real PostgreSQL; pictures in the data folder."""

import io
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from serayu.models.errors import BadInputError, ConflictError, NotFoundError, StoreError
from serayu.models.stores.register import Register
from serayu.models.stores.survey_files import Published, picture_file, publish_bundle, withdraw
from serayu.models.survey.entry import Order, Wanted, Withdrawn
from serayu.models.survey.finding import DefectClass
from serayu.models.survey.review import Judgement, Tally
from tests.models.survey.bundles import IDS, SURVEY, changed, crops, other, zipped

REGION = "33.02"


def publish(register: Register, folder: Path, data: bytes | None = None, *, now_us: int = 5) -> Published:
    bundle = io.BytesIO(zipped() if data is None else data)
    return publish_bundle(bundle, register=register, data_dir=folder, region=REGION, by="Ani", now_us=now_us)


def files(folder: Path) -> dict[str, bytes]:
    return {str(one.relative_to(folder)): one.read_bytes() for one in folder.rglob("*") if one.is_file()}


def test_a_bundle_is_kept_once_and_again_changes_nothing(register: Register, tmp_path: Path) -> None:
    data = tmp_path / "data"
    first = publish(register, data)
    before = (
        files(data / "surveys"),
        register.surveys(REGION),
        register.findings(REGION),
        register.segments(REGION),
    )
    again = publish(register, data, now_us=6)
    assert (first.created, again.created) == (True, False)
    assert first._replace(created=False) == again
    assert before == (
        files(data / "surveys"), register.surveys(REGION), register.findings(REGION), register.segments(REGION),
    )  # fmt: skip
    assert before[0] == {f"{REGION}/{SURVEY}/{name}": content for name, content in crops().items()}
    assert [one.action for one in register.audit_entries(REGION)] == ["survey.publish"]
    assert register.survey(REGION, SURVEY).published_us == 5
    assert [photo.photo for _, photo in register.survey_photos(REGION)] == ["SRY_0001.jpg", "SRY_0002.jpg"]


def test_another_bundle_of_the_same_id_is_a_conflict_and_changes_nothing(
    register: Register, tmp_path: Path
) -> None:
    publish(register, tmp_path)
    before = files(tmp_path / "surveys")
    with pytest.raises(ConflictError, match="with other contents"):
        publish(register, tmp_path, zipped(changed(score=0.91), {}))
    assert files(tmp_path / "surveys") == before
    assert register.finding(REGION, IDS[0]).score == 0.9


def test_a_withdrawn_survey_takes_its_reviews_and_pictures_with_it_and_no_others(
    register: Register, tmp_path: Path
) -> None:
    publish(register, tmp_path)
    publish(register, tmp_path, other("two"))
    for n in (0, 1):
        register.add_review(REGION, IDS[n], Judgement.CONFIRMED, key_id="k", name="Budi", now_us=6)
    kept = files(tmp_path / "surveys" / REGION / "two")

    def away() -> Withdrawn | None:
        return withdraw(SURVEY, register=register, data_dir=tmp_path, region=REGION, by="Ani", now_us=7)

    assert away() == Withdrawn(findings=4, segments=1, reviews=2)
    assert away() is None
    assert files(tmp_path / "surveys" / REGION) == {f"two/{name}": data for name, data in kept.items()}
    assert [one.id for one in register.surveys(REGION)] == ["two"]
    assert (register.findings(REGION).total, len(register.segments(REGION))) == (4, 1)
    assert {survey for survey, _ in register.survey_photos(REGION)} == {"two"}
    assert register.reviews(REGION) == []
    trail = [one for one in register.audit_entries(REGION) if one.target in {SURVEY, *IDS}]
    assert [(one.actor, one.action) for one in trail] == [
        ("Ani", "survey.withdraw"), ("Budi", "finding.review"), ("Budi", "finding.review"), ("Ani", "survey.publish"),
    ]  # fmt: skip
    assert trail[0].detail == "4 findings, 2 reviews"
    assert publish(register, tmp_path).created, "the same bundle may come back"


def test_a_survey_whose_pictures_cannot_be_removed_stays(
    register: Register, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(register, tmp_path)

    def refuse(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("shutil.rmtree", refuse)
    with pytest.raises(StoreError, match=f"cannot remove .*{SURVEY}: Permission denied"):
        withdraw(SURVEY, register=register, data_dir=tmp_path, region=REGION, by="Ani", now_us=7)
    assert register.findings(REGION).total == 4


def test_a_finding_belongs_to_one_survey(register: Register, tmp_path: Path) -> None:
    publish(register, tmp_path)
    copied = zipped(
        {name: json.loads(json.dumps(said).replace(SURVEY, "copy")) for name, said in changed().items()}
    )
    with pytest.raises(ConflictError, match="belongs to the survey"):
        publish(register, tmp_path, copied)
    assert not (tmp_path / "surveys" / REGION / "copy").exists()


def test_a_wrong_bundle_leaves_nothing(register: Register, tmp_path: Path) -> None:
    with pytest.raises(BadInputError):
        publish(register, tmp_path, zipped(changed(score=2)))
    assert register.surveys(REGION) == []
    assert files(tmp_path / "surveys") == {}


def test_lost_pictures_come_back_with_the_same_bundle(register: Register, tmp_path: Path) -> None:
    publish(register, tmp_path)
    picture_file(tmp_path, REGION, SURVEY, IDS[0]).unlink()
    assert publish(register, tmp_path).created is False
    assert picture_file(tmp_path, REGION, SURVEY, IDS[0]).read_bytes() == crops()[f"crops/{IDS[0]}.jpg"]


def test_several_publishers_at_once_make_one_survey(register: Register, tmp_path: Path) -> None:
    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(lambda _: publish(register, tmp_path).created, range(3)))
    assert sorted(done) == [False, False, True]
    assert register.findings(REGION).total == 4
    assert len(files(tmp_path / "surveys")) == 3


def test_a_region_sees_only_its_own(register: Register, tmp_path: Path) -> None:
    publish(register, tmp_path)
    assert register.findings("33.03").total == 0
    assert register.surveys("33.03") == []
    assert register.segments("33.03") == []
    with pytest.raises(NotFoundError):
        register.finding("33.03", IDS[0])


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Wanted(), [3, 2, 1, 0]),
        (Wanted(label=DefectClass.POTHOLE), [0]),
        (Wanted(ruas="CONTOH-01"), [2, 1, 0]),
        (Wanted(ruas="X"), []),
        (Wanted(survey=SURVEY), [3, 2, 1, 0]),
        (Wanted(survey="x"), []),
        (Wanted(score=0.6), [3, 2, 0]),
        (Wanted(score=1), [3]),
        (Wanted(bbox=(109.3365, -7.6, 109.3375, -7.5)), [1]),
        (Wanted(bbox=(109.0, -7.5037, 110.0, -7.0)), [3, 2, 1, 0]),
        (Wanted(bbox=(0, 0, 1, 1)), []),
        (Wanted(reviewed=False), [3, 2, 1]),
        (Wanted(reviewed=True), [0]),
    ],
    ids=str,
)
def test_findings_are_found_by_place_class_road_survey_score_and_review(
    register: Register, tmp_path: Path, wanted: Wanted, expected: list[int]
) -> None:
    publish(register, tmp_path)
    register.add_review(REGION, IDS[0], Judgement.CONFIRMED, key_id="k", name="Ani", now_us=1)
    found = register.findings(REGION, wanted)
    assert [IDS.index(one.id) for one in found.page] == expected
    assert found.total == len(expected)


def test_pages_follow_one_another_and_the_doubtful_come_first(register: Register, tmp_path: Path) -> None:
    publish(register, tmp_path)
    publish(register, tmp_path, other("two"))
    assert register.findings(REGION).total == 8
    first = register.findings(REGION, limit=3).page
    rest = register.findings(REGION, after=first[-1].id, limit=9).page
    assert len({one.id for one in (*first, *rest)}) == 8
    doubtful = [one.score for one in register.findings(REGION, order=Order.DOUBTFUL).page]
    assert doubtful == [0.35, 0.35, 0.6, 0.6, 0.9, 0.9, None, None]
    skipped = register.findings(REGION, order=Order.DOUBTFUL, skip=6, limit=5).page
    assert [one.score for one in skipped] == [None, None]
    assert [number for number, _ in register.segments(REGION, limit=1)] == [2]
    assert [number for number, _ in register.segments(REGION, after=2)] == [1]


def test_the_last_review_counts_and_all_are_kept(register: Register, tmp_path: Path) -> None:
    publish(register, tmp_path)

    def say(judgement: Judgement, label: DefectClass | None = None, *, by: str = "k1") -> int:
        return register.add_review(REGION, IDS[0], judgement, label=label, key_id=by, name=by, now_us=7).id

    assert say(Judgement.CONFIRMED) == say(Judgement.CONFIRMED), "said again it changes nothing"
    say(Judgement.REJECTED, by="k2")
    say(Judgement.CORRECTED, DefectClass.PATCH_REPAIR)
    last = register.finding(REGION, IDS[0]).review
    assert last is not None
    assert (last.judgement, last.label, last.by) == (Judgement.CORRECTED, DefectClass.PATCH_REPAIR, "k1")
    kept = register.reviews(REGION, findings=(IDS[0],))
    assert [(one.judgement.value, one.by) for one in kept] == [
        ("benar", "k1"),
        ("salah", "k2"),
        ("ubah", "k1"),
    ]
    assert register.reviews(REGION, survey_id=SURVEY) == kept
    assert register.reviews(REGION, survey_id="x") == register.reviews("33.03") == []
    assert [one.action for one in register.audit_entries(REGION)].count("finding.review") == 3


def test_the_last_word_counts_for_precision_and_each_persons_last_for_agreement(
    register: Register, tmp_path: Path
) -> None:
    publish(register, tmp_path)
    publish(register, tmp_path, other("two"))
    theirs = [one.id for one in register.findings(REGION, Wanted(survey="two")).page]

    def say(finding: str, judgement: Judgement, *, by: str, label: DefectClass | None = None) -> None:
        register.add_review(REGION, finding, judgement, label=label, key_id=by, name=f"Name {by}", now_us=7)

    say(IDS[0], Judgement.CONFIRMED, by="k2")  # a pothole
    say(IDS[1], Judgement.REJECTED, by="k2")  # a longitudinal crack
    say(IDS[1], Judgement.CORRECTED, by="k1", label=DefectClass.TRANSVERSE_CRACK)
    say(IDS[0], Judgement.REJECTED, by="k1")
    say(IDS[0], Judgement.CONFIRMED, by="k1")
    say(IDS[2], Judgement.CONFIRMED, by="k2")
    say(theirs[0], Judgement.REJECTED, by="k3")
    tally = register.review_tally(REGION, SURVEY)
    hole, crack, across = DefectClass.POTHOLE, DefectClass.LONGITUDINAL_CRACK, DefectClass.TRANSVERSE_CRACK
    assert (tally.findings, sum(tally.last.values())) == (4, 3)
    assert tally.last[hole, Judgement.CONFIRMED] == tally.last[crack, Judgement.CORRECTED] == 1
    assert tally.both == {("k1", "k2"): {(hole, hole): 1, (across, None): 1}}
    assert tally.names == {"k1": "Name k1", "k2": "Name k2"}
    whole = register.review_tally(REGION)
    assert (whole.findings, sum(whole.last.values()), whole.both) == (8, 4, tally.both)
    assert whole.names["k3"] == "Name k3"
    assert register.review_tally("33.03") == register.review_tally("33.03", SURVEY) == Tally(0, {}, {}, {})


@pytest.mark.parametrize(
    ("judgement", "label"),
    [
        (Judgement.CORRECTED, None),
        (Judgement.CORRECTED, DefectClass.POTHOLE),
        (Judgement.CONFIRMED, DefectClass.POTHOLE),
        (Judgement.REJECTED, DefectClass.PATCH_REPAIR),
    ],
)
def test_a_review_that_says_nothing_sensible_is_refused(
    register: Register, tmp_path: Path, judgement: Judgement, label: DefectClass | None
) -> None:
    publish(register, tmp_path)
    with pytest.raises(BadInputError):
        register.add_review(REGION, IDS[0], judgement, label=label, key_id="k", name="n", now_us=1)
    with pytest.raises(NotFoundError):
        register.add_review(REGION, "x", Judgement.CONFIRMED, key_id="k", name="n", now_us=1)
    assert register.reviews(REGION) == []


def test_pictures_that_cannot_be_placed_leave_no_survey(
    register: Register, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_self: Path, _target: Path) -> Path:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", full)
        with pytest.raises(StoreError, match="No space left"):
            publish(register, tmp_path)
    assert register.surveys(REGION) == []
    assert files(tmp_path / "surveys") == {}
    assert publish(register, tmp_path).created
    assert len(files(tmp_path / "surveys")) == 3


def test_what_a_kill_left_in_the_folder_is_replaced(register: Register, tmp_path: Path) -> None:
    left = tmp_path / "surveys" / REGION / SURVEY / "crops"
    left.mkdir(parents=True)
    (left / "old.jpg").write_bytes(b"half")
    publish(register, tmp_path)
    assert files(tmp_path / "surveys").keys() == {f"{REGION}/{SURVEY}/{name}" for name in crops()}


def test_the_same_survey_in_another_region_leaves_the_pictures_of_this_one(
    register: Register, tmp_path: Path
) -> None:
    publish(register, tmp_path)
    bundle = io.BytesIO(zipped(pictures={}))
    publish_bundle(bundle, register=register, data_dir=tmp_path, region="33.03", by="Budi", now_us=6)
    assert picture_file(tmp_path, REGION, SURVEY, IDS[0]).read_bytes() == crops()[f"crops/{IDS[0]}.jpg"]
