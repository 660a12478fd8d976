"""What is written at a box: crews read it, so it is Indonesian and names every size with its unit."""

from shapely.geometry import LineString

from serayu.models.survey.finding import DefectClass, Errors, Severity
from serayu.vision.sighting import Measured, Sighting
from serayu.vision.survey.pictures import caption


def _sighting(severity: Severity, *, score: float | None) -> Sighting:
    errors = Errors(position_m=0.1, length_m=0.1, width_mm=0.5, area_m2=None)
    sizes = Measured(LineString([(0, 0), (2.314, 0)]), 2.314, 4.26, None, errors, severity)
    return Sighting(
        unit="a.jpg",
        index=0,
        label=DefectClass.TRANSVERSE_CRACK,
        score=score,
        measured=sizes,
        xyxy_px=(1, 2, 3, 4),
        gsd_mm=2.0,
        cut=False,
        time_us=None,
    )


def test_a_caption_names_class_sizes_severity_and_score_in_indonesian() -> None:
    told = caption(_sighting(Severity.MEDIUM, score=0.783))
    assert told == "Retak melintang; 2,31 m; 4,3 mm; Sedang (M); skor 0,78"


def test_a_caption_leaves_out_what_is_not_known() -> None:
    assert caption(_sighting(Severity.UNMEASURED, score=None)) == "Retak melintang; 2,31 m; 4,3 mm"


def test_every_caption_is_ascii() -> None:
    assert all(caption(_sighting(severity, score=1.0)).isascii() for severity in Severity), (
        "the font has nothing else"
    )
