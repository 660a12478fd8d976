"""One unit, from the file to sightings; and many, a few at a time."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import shapely
import shapely.affinity

from serayu.models.errors import BadInputError
from serayu.models.plane import LocalPlane
from serayu.models.survey.finding import DefectClass, Errors, Severity
from serayu.vision.detection import Detection, Image
from serayu.vision.ground import GroundMap
from serayu.vision.imagery import Opened, Unit
from serayu.vision.privacy.guard import may_store
from serayu.vision.quality import Measure, Quality, Verdict
from serayu.vision.sighting import Measured
from serayu.vision.survey.engine import looks
from serayu.vision.survey.lines import joined, long_axis
from serayu.vision.survey.result import Pictures, UnitResult, UnitStatus, decode, encode
from serayu.vision.survey.work import cut_by_edge, look
from tests.vision.survey.pictures import PLANE, SIZE_PX, FlatGround, gauge

GOOD = Quality(Verdict.GOOD, frozenset(Measure))


@dataclass
class Pictures6:
    """Six pictures in memory; counts how many are open at once."""

    ground: FlatGround | None = field(default_factory=lambda: FlatGround((0.0, 0.0)))
    gsd_mm: float | None = 20.0
    bad: frozenset[str] = frozenset()
    opened: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    quality: Quality = GOOD

    @property
    def plane(self) -> LocalPlane:
        return PLANE

    def units(self) -> tuple[Unit, ...]:
        return tuple(Unit(f"{n}.jpg", Path(f"{n}.jpg")) for n in range(6))

    def open(self, unit: Unit) -> Opened:
        with self.lock:
            self.opened += 1
        if unit.name in self.bad:
            raise BadInputError("truncated", file=Path("/home/somebody") / unit.file)
        image = np.full((SIZE_PX[1], SIZE_PX[0], 3), 120, np.uint8)
        return Opened(image, self.ground, None, self.gsd_mm, self.quality)


@dataclass(frozen=True)
class Two:
    """Finds a hole in the middle and one at the edge in every picture."""

    name: str = "two"

    def find(self, unit: Unit, opened: Opened) -> tuple[Detection, ...]:
        assert unit.name
        assert opened.image.size
        return (
            Detection(DefectClass.POTHOLE, 0.9, (0.0, 100.0, 20.0, 120.0)),
            Detection(DefectClass.POTHOLE, 0.5, (180.0, 140.0, 220.0, 160.0)),
        )


def test_a_unit_becomes_sightings_with_crops_and_an_annotated_picture() -> None:
    imagery = Pictures6()
    done = look(imagery.units()[0], imagery=imagery, finder=Two(), gauge=gauge)
    first, second = done.result.sightings
    assert (first.cut, second.cut) == (True, False)
    assert second.measured.area_m2 == pytest.approx(40 * 20 * 0.02**2)
    assert done.result.footprint is not None
    assert done.result.footprint.area == pytest.approx(8 * 6)
    assert done.pictures.annotated is not None
    assert len(done.pictures.crops) == 2
    assert all(one.startswith(b"\xff\xd8") for one in (*done.pictures.crops, done.pictures.annotated))


@pytest.mark.parametrize("gsd_mm", [None, 4.9])
def test_a_picture_that_could_show_who_somebody_is_is_not_kept_whole(gsd_mm: float | None) -> None:
    imagery = Pictures6(gsd_mm=gsd_mm)
    done = look(imagery.units()[0], imagery=imagery, finder=Two(), gauge=gauge)
    assert not may_store(gsd_mm)
    assert done.pictures.annotated is None
    assert not done.result.annotated
    assert len(done.pictures.crops) == 2


def test_without_a_pose_things_are_counted_but_not_placed() -> None:
    imagery = Pictures6(ground=None, gsd_mm=None)
    done = look(imagery.units()[0], imagery=imagery, finder=Two(), gauge=gauge)
    assert (done.result.status, done.result.n_detections, done.result.sightings) == (UnitStatus.READ, 2, ())
    assert [one.code for one in done.result.problems] == ["no_pose"]


def test_a_photo_without_a_pose_and_with_nothing_on_it_is_named_with_the_reasons_that_keep_it_off_the_map() -> (
    None
):
    @dataclass(frozen=True)
    class Nothing:
        name: str = "nothing"

        def find(self, unit: Unit, opened: Opened) -> tuple[Detection, ...]:
            assert unit.name
            assert opened.image.size
            return ()

    reasons = ("photo.quality.glare", "photo.quality.no_position", "photo.quality.zone_assumed")
    imagery = Pictures6(ground=None, gsd_mm=None, quality=Quality(Verdict.LIMITED, frozenset(), reasons))
    done = look(imagery.units()[0], imagery=imagery, finder=Nothing(), gauge=gauge)
    assert [(one.code, one.detail) for one in done.result.problems] == [
        ("no_pose", "photo.quality.no_position")
    ]


def test_a_thing_whose_figure_is_empty_is_off_the_ground() -> None:
    def nowhere(_: Image, __: Detection, ___: GroundMap, ____: frozenset[Measure]) -> Measured:
        return Measured(shapely.Point(), None, None, None, Errors(position_m=None), Severity.UNMEASURED)

    imagery = Pictures6()
    done = look(imagery.units()[0], imagery=imagery, finder=Two(), gauge=nowhere)
    assert done.result.sightings == ()
    assert [(one.code, one.detail) for one in done.result.problems] == [("off_ground", "2")]


def test_a_corrupt_unit_names_the_file_without_its_folder() -> None:
    imagery = Pictures6(bad=frozenset({"0.jpg"}))
    done = look(imagery.units()[0], imagery=imagery, finder=Two(), gauge=gauge)
    assert (done.result.status, done.result.problems[0].detail) == (UnitStatus.CORRUPT, "0.jpg: truncated")


def test_results_and_pictures_survive_being_kept() -> None:
    imagery = Pictures6()
    done = look(imagery.units()[0], imagery=imagery, finder=Two(), gauge=gauge)
    assert decode(encode(done.result), UnitResult, file="a") == done.result
    assert decode(encode(done.pictures), Pictures, file="a") == done.pictures
    with pytest.raises(BadInputError, match="not a kept result"):
        decode(encode(done.result)[:50], UnitResult, file="a")


def test_many_units_give_what_each_gives_alone_in_their_order() -> None:
    imagery = Pictures6(bad=frozenset({"2.jpg"}))
    alone = [look(unit, imagery=imagery, finder=Two(), gauge=gauge) for unit in imagery.units()]
    assert list(looks(imagery.units(), imagery=imagery, finder=Two(), gauge=gauge)) == alone
    assert list(looks([], imagery=imagery, finder=Two(), gauge=gauge)) == []


def test_no_more_units_are_read_than_there_is_room_for() -> None:
    imagery = Pictures6()

    def many() -> Iterator[Unit]:
        for number in range(100):
            yield Unit(f"{number}.jpg", Path("x"))

    going = looks(many(), imagery=imagery, finder=Two(), gauge=gauge)
    next(going)
    assert imagery.opened <= 6
    going.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("box", "cut"),
    [
        ((0.0, 10.0, 20.0, 20.0), True),
        ((10.0, 10.0, 398.5, 20.0), True),
        ((10.0, 10.0, 395.0, 20.0), False),
        ((10.0, 10.0, 20.0, 299.0), True),
    ],
)
def test_a_box_at_the_edge_is_cut(box: tuple[float, float, float, float], cut: bool) -> None:  # noqa: FBT001
    assert cut_by_edge(box, size_px=SIZE_PX) is cut
    assert cut_by_edge((8.0, 50.0, 20.0, 60.0), size_px=SIZE_PX, share=0.025) is True


def test_pieces_of_a_line_are_put_end_to_end_whichever_way_they_run() -> None:
    pieces = [[(0, 0), (10, 0)], [(18, 0.05), (8, 0.05)], [(-6, 0), (1, 0)], [(3, 0.02), (5, 0.02)]]
    line = joined([shapely.LineString(one) for one in pieces], sigma_m=0.02)
    assert line.length == pytest.approx(24.0, abs=0.1)
    assert sorted(point[0] for point in (line.coords[0], line.coords[-1])) == [-6, 18]


def test_a_piece_that_is_far_off_is_left_out() -> None:
    line = joined(
        [shapely.LineString([(0, 0), (10, 0)]), shapely.LineString([(12, 3), (15, 3)])], sigma_m=0.02
    )
    assert line.length == 10


@pytest.mark.parametrize("turn", [0.0, 30.0, 90.0, 135.0])
def test_the_long_axis_of_a_box(turn: float) -> None:
    box = shapely.affinity.rotate(shapely.box(-5, -1, 5, 1), turn, origin=(0, 0))
    line = long_axis(box)
    assert line.length == pytest.approx(10)
    assert line.centroid.distance(shapely.Point(0, 0)) == pytest.approx(0, abs=1e-9)
