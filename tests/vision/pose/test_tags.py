"""What a photo says of its camera, its place and its time."""

import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PIL.ExifTags import GPS, Base
from PIL.TiffImagePlugin import IFDRational

from serayu.models.errors import BadInputError
from serayu.models.times import to_us
from serayu.vision.pose import xmp
from serayu.vision.pose.attitude import FIXED_SIGMA_M, GNSS_SIGMA_M, Pose, motion_m, pose_of
from serayu.vision.pose.camera import Camera
from serayu.vision.pose.jpeg import Tags, read_picture, read_tags
from serayu.vision.pose.lens import CALIBRATED_SIGMA, DEWARP_SIGMA, FILM_SIGMA, SENSOR_SIGMA, camera_of
from serayu.vision.pose.moment import taken_us
from tests.vision.pose.photos import DJI, EXIF, jpeg, packet, photo, position, textured


def _tags(folder: Path, **parts: Any) -> Tags:  # noqa: ANN401 -- passed on
    return read_tags(photo(folder, **parts))


def _changed(**values: str | None) -> dict[str, str]:
    changed = {**DJI, **values}
    return {name: value for name, value in changed.items() if value is not None}


def _pose(folder: Path, **values: str | None) -> tuple[Pose | None, tuple[str, ...]]:
    return pose_of(_tags(folder, dji=_changed(**values)))


def _camera(tags: Tags) -> Camera:
    camera, _ = camera_of(tags)
    assert camera is not None
    return camera


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("+100.20", 100.2),
        ("-7.4244", -7.4244),
        (" 0 ", 0.0),
        ("+.5", 0.5),
        ("1e2", 100.0),
        ("", None),
        ("+", None),
        ("100,20", None),
        ("S7.4", None),
        ("nan", None),
        ("inf", None),
        ("1e999", None),
        ("٣", None),
    ],
)
def test_a_signed_text_is_a_number_or_nothing(text: str, value: float | None) -> None:
    assert xmp.signed_number(text) == value


def test_both_forms_of_xmp_say_the_same() -> None:
    assert xmp.tags(packet(DJI)) == xmp.tags(packet(DJI, elements=True)) == DJI


def test_what_stands_around_the_packet_and_other_prefixes_do_not_matter() -> None:
    renamed = packet(DJI).replace(b"drone-dji:", b"d:").replace(b":drone-dji=", b":d=")
    assert xmp.tags(b"\x00 \xff<x" + renamed + b"\x00\x00 padding") == DJI


def test_tags_of_other_makers_and_nested_elements_are_passed_over() -> None:
    other = packet({"GimbalYawDegree": "+1.0"}).replace(b"www.dji.com", b"www.example.com")
    assert xmp.tags(other) == {}
    nested = packet({"A": "<rdf:Seq><rdf:li>+3</rdf:li></rdf:Seq>", "B": "+2"}, elements=True)
    assert xmp.tags(nested) == {"B": "+2"}


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(b'<!DOCTYPE x [<!ENTITY a "b">]>' + packet(DJI), id="a document type before"),
        pytest.param(packet(DJI).replace(b"+40.00", b"&lol;"), id="an entity that nothing declares"),
        pytest.param(packet(DJI)[:-80], id="cut"),
        pytest.param(b"", id="empty"),
        pytest.param(b"\xff\xfe<", id="no XML"),
        pytest.param(packet({"A": "x" * 1_000_001}), id="too large"),
    ],
)
def test_a_bad_packet_is_refused(bad: bytes) -> None:
    with pytest.raises(BadInputError, match="XMP"):
        xmp.tags(bad)


def test_a_document_type_in_another_encoding_is_refused_too() -> None:
    text = '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>'
    with pytest.raises(BadInputError, match="document type"):
        xmp.tags(text.encode("utf-16"))


def test_a_photo_with_bad_xmp_says_so_and_has_no_pose(tmp_path: Path) -> None:
    tags = _tags(tmp_path, xmp=b"<x:xmpmeta")
    assert tags.faults == ("xmp_unreadable",)
    assert pose_of(tags)[0] is None


def test_a_pose_is_read(tmp_path: Path) -> None:
    pose, reasons = _pose(tmp_path)
    assert reasons == ()
    assert pose is not None
    assert (pose.lon_deg, pose.lat_deg, pose.height_m) == (109.2396, -7.4244, 30.0)
    assert (pose.yaw_deg, pose.pitch_deg, pose.roll_deg) == (40.0, -90.0, 0.0)
    assert pose.absolute_m == 130.0
    assert pose.tilt_deg == pytest.approx(0, abs=1e-5)
    assert pose.sigmas.horizontal_m == GNSS_SIGMA_M


@pytest.mark.parametrize(
    ("tag", "reason"),
    [
        ("RelativeAltitude", "no_height"),
        ("GimbalPitchDegree", "no_pitch"),
        ("GimbalRollDegree", "no_roll"),
        ("GpsLatitude", "no_position"),
    ],
)
@pytest.mark.parametrize("value", [None, "", "n/a", "12,5"])
def test_a_missing_or_unreadable_tag_is_named_and_nothing_guessed(
    tmp_path: Path, tag: str, reason: str, value: str | None
) -> None:
    assert _pose(tmp_path, **{tag: value}) == (None, (reason,))


def test_all_missing_tags_are_named(tmp_path: Path) -> None:
    pose, reasons = pose_of(_tags(tmp_path, dji={}))
    assert pose is None
    assert reasons == ("no_position", "no_height", "no_pitch", "no_roll", "no_yaw")


def test_a_given_height_stands_for_the_missing_one(tmp_path: Path) -> None:
    tags = _tags(tmp_path, dji=_changed(RelativeAltitude=None))
    pose, _ = pose_of(tags, height_above_ground_m=25)
    assert pose is not None
    assert pose.height_m == 25


@pytest.mark.parametrize("height", ["+0.00", "-3.10"])
def test_a_height_that_is_not_above_the_ground_is_no_pose(tmp_path: Path, height: str) -> None:
    assert _pose(tmp_path, RelativeAltitude=height) == (None, ("height_not_above",))


def test_the_old_misspelt_longitude_and_the_place_of_exif_are_read(tmp_path: Path) -> None:
    old, _ = _pose(tmp_path, GpsLongitude=None, GpsLongtitude="+109.5")
    assert old is not None
    assert old.lon_deg == 109.5
    by_exif, _ = pose_of(
        _tags(
            tmp_path,
            dji=_changed(GpsLongitude=None, GpsLatitude=None),
            gps=position((109, 14, 22.56), (7, 25, 27.84)),
        )
    )
    assert by_exif is not None
    assert (by_exif.lon_deg, by_exif.lat_deg) == pytest.approx((109.2396, -7.4244), abs=1e-9)


def test_a_receiver_without_a_fix_is_no_place(tmp_path: Path) -> None:
    assert _pose(tmp_path, GpsLongitude="+0.000000", GpsLatitude="+0.000000") == (None, ("no_position",))


@pytest.mark.parametrize(
    ("gimbal", "flight", "roll", "pitch", "yaw", "reasons"),
    [
        pytest.param("+40", "+42", "+0", "-90", 40, (), id="as it should be"),
        pytest.param("-138", "+42", "+0", "-90", 42, ("yaw_flipped",), id="flipped"),
        pytest.param("+179", "-3", "+0", "-88", -1, ("yaw_flipped",), id="flipped across south"),
        pytest.param("-138", "+42", "+180", "-90", -138, (), id="a roll of 180 says it itself"),
        pytest.param("+179", "-179", "+0", "-90", 179, (), id="across south"),
        pytest.param("+130", "+40", "+0", "-90", 130, ("yaw_apart",), id="panned"),
        pytest.param("-140", "+40", "+0", "-45", -140, (), id="oblique: looks back on purpose"),
        pytest.param(None, "+40", "+0", "-90", 40, ("yaw_of_flight",), id="only the aircraft's"),
        pytest.param("+40", None, "+0", "-90", 40, ("flight_yaw_missing",), id="only the gimbal's"),
    ],
)
def test_the_heading(
    tmp_path: Path,
    gimbal: str | None,
    flight: str | None,
    roll: str,
    pitch: str,
    yaw: float,
    reasons: tuple[str, ...],
) -> None:
    pose, found = _pose(
        tmp_path,
        GimbalYawDegree=gimbal,
        FlightYawDegree=flight,
        GimbalRollDegree=roll,
        GimbalPitchDegree=pitch,
    )
    assert pose is not None
    assert (pose.yaw_deg, found) == (yaw, reasons)


def test_without_any_heading_or_oblique_with_the_aircrafts_alone_there_is_no_pose(tmp_path: Path) -> None:
    assert _pose(tmp_path, GimbalYawDegree=None, FlightYawDegree=None) == (None, ("no_yaw",))
    assert _pose(tmp_path, GimbalYawDegree=None, GimbalPitchDegree="-45") == (None, ("no_yaw",))


def test_rtk_makes_errors_smaller(tmp_path: Path) -> None:
    plain, fixed, floating, poor = (
        _pose(tmp_path, **tags)[0]
        for tags in (
            {"RtkFlag": None},
            {"RtkFlag": "50"},
            {"RtkFlag": "34"},
            {"RtkFlag": "50", "RtkStdLon": "0.30", "RtkStdLat": "0.40"},
        )
    )
    assert plain is not None
    assert fixed is not None
    assert floating is not None
    assert poor is not None
    assert fixed.sigmas.horizontal_m == FIXED_SIGMA_M
    assert poor.sigmas.horizontal_m == pytest.approx(0.5)
    assert fixed.sigmas.horizontal_m < floating.sigmas.horizontal_m < plain.sigmas.horizontal_m
    assert fixed.sigmas.height_m < plain.sigmas.height_m
    assert fixed.rtk
    assert not floating.rtk


def test_motion_needs_speed_and_exposure(tmp_path: Path) -> None:
    speeds = _changed(FlightXSpeed="+3.0", FlightYSpeed="-4.0", FlightZSpeed="+0.0")
    exposed = {**EXIF, Base.ExposureTime: IFDRational(1, 500)}
    assert motion_m(_tags(tmp_path, dji=speeds, exif=exposed)) == pytest.approx(0.01)
    assert motion_m(_tags(tmp_path, dji=speeds)) is None
    assert motion_m(_tags(tmp_path, exif=exposed)) is None
    assert motion_m(_tags(tmp_path, dji=speeds, exif={**EXIF, Base.ExposureTime: IFDRational(0, 0)})) is None


def test_the_dewarp_calibration_comes_first(tmp_path: Path) -> None:
    dji = _changed(DewarpFlag="0", DewarpData="2024-01-01;510.0,511.0,2.5,-1.5,-0.1,0.01,0.001,-0.002,0.003")
    camera, reasons = camera_of(_tags(tmp_path, dji=dji))
    assert camera is not None
    assert reasons == ()
    assert (camera.focal_px, camera.centre_px, camera.source) == ((510, 511), (322.5, 238.5), "dewarp")
    assert camera.distortion is not None
    assert (camera.distortion.k1, camera.distortion.p2, camera.distortion.k3) == (-0.1, -0.002, 0.003)
    assert (camera.focal_sigma, camera.doubt_px) == (DEWARP_SIGMA, 0)


def test_a_photo_that_was_dewarped_has_no_distortion_and_an_unknown_one_is_doubted(tmp_path: Path) -> None:
    data = "2024-01-01;510,510,0,0,-0.1,0.01,0,0,0"
    done = _camera(_tags(tmp_path, dji=_changed(DewarpFlag="1", DewarpData=data)))
    assert (done.distortion, done.doubt_px) == (None, 0)
    camera, reasons = camera_of(_tags(tmp_path, dji=_changed(DewarpFlag=None, DewarpData=data)))
    assert camera is not None
    assert (camera.distortion, reasons) == (None, ("dewarp_unknown",))
    assert camera.doubt_px == pytest.approx(3, abs=0.5)  # 0.1 r^3 at r = 0.39, times 510 px


@pytest.mark.parametrize(
    "data", ["", "2024;1,2,3", "x;a,b,c,d,e,f,g,h,i", "2024;-5,5,0,0,0,0,0,0,0", "2024;5,5,400,0,0,0,0,0,0"]
)
def test_without_a_usable_dewarp_calibration_the_designed_focal_length_is_taken(
    tmp_path: Path, data: str
) -> None:
    camera, reasons = camera_of(_tags(tmp_path, dji=_changed(DewarpData=data)))
    assert camera is not None
    assert reasons == ()
    assert (camera.focal_px, camera.centre_px) == ((500, 500), (320, 240))
    assert (camera.source, camera.focal_sigma) == ("calibrated", CALIBRATED_SIGMA)


def test_a_calibration_for_another_size_of_picture_is_not_used(tmp_path: Path) -> None:
    dji = _changed(
        CalibratedFocalLength="3666.67", CalibratedOpticalCenterX="2736", CalibratedOpticalCenterY="1824"
    )
    assert camera_of(_tags(tmp_path, dji=dji)) == (None, ("no_focal",))


def test_a_photo_made_smaller_keeps_its_field_of_view(tmp_path: Path) -> None:
    dji = _changed(
        CalibratedFocalLength="2000", CalibratedOpticalCenterX="1290", CalibratedOpticalCenterY="950"
    )
    exif = {**EXIF, Base.ExifImageWidth: 2560, Base.ExifImageHeight: 1920}
    camera = _camera(_tags(tmp_path, dji=dji, exif=exif))
    assert (camera.focal_px, camera.centre_px) == ((500, 500), (322.5, 237.5))
    cut = {**EXIF, Base.ExifImageWidth: 2560, Base.ExifImageHeight: 1440}
    assert camera_of(_tags(tmp_path, dji=dji, exif=cut)) == (None, ("resized",))


def test_the_sensor_table_and_the_35_mm_equivalent_follow_with_larger_errors(tmp_path: Path) -> None:
    exif = {
        **EXIF,
        Base.FocalLength: IFDRational(88, 10),
        Base.FocalLengthIn35mmFilm: 24,
        Base.ExifImageWidth: 5472,
        Base.ExifImageHeight: 3648,
    }
    picture = textured(684, 456)
    known = _tags(tmp_path, picture=picture, dji={}, exif=exif, base={Base.Make: "DJI", Base.Model: "FC6310"})
    camera, reasons = camera_of(known)
    assert camera is not None
    assert camera.focal_px[0] == pytest.approx(8.8 / 13.2 * 684)
    assert (camera.source, camera.focal_sigma) == ("sensor", SENSOR_SIGMA)
    assert reasons == ("focal_from_sensor", "centre_unknown", "distortion_unknown")
    unknown = _tags(tmp_path, picture=picture, dji={}, exif=exif, base={Base.Model: "FC9999"})
    film, reasons = camera_of(unknown)
    assert film is not None
    assert film.focal_px[0] == pytest.approx(24 / math.hypot(36, 24) * math.hypot(684, 456))
    assert (film.source, film.focal_sigma) == ("film", FILM_SIGMA)
    assert reasons[0] == "focal_from_film"
    assert film.focal_sigma > camera.focal_sigma > CALIBRATED_SIGMA


def test_digital_zoom_and_no_focal_length_are_no_camera(tmp_path: Path) -> None:
    zoomed = _tags(tmp_path, exif={**EXIF, Base.DigitalZoomRatio: IFDRational(2, 1)})
    assert camera_of(zoomed) == (None, ("digital_zoom",))
    assert camera_of(_tags(tmp_path, dji={})) == (None, ("no_focal",))


_NINE = to_us(datetime(2026, 7, 1, 2, 0, tzinfo=UTC))
_LOCAL = {Base.DateTimeOriginal: "2026:07:01 09:00:00"}
_BY_GPS = {
    GPS.GPSDateStamp: "2026:07:01",
    GPS.GPSTimeStamp: (IFDRational(2), IFDRational(0), IFDRational(125, 10)),
}


@pytest.mark.parametrize(
    ("exif", "gps", "time_us", "reason"),
    [
        pytest.param({**_LOCAL, Base.OffsetTimeOriginal: "+07:00"}, {}, _NINE, None, id="clock with zone"),
        pytest.param(
            {**_LOCAL, Base.OffsetTimeOriginal: "-03:30"}, {}, _NINE + 37_800_000_000, None, id="west"
        ),
        pytest.param(
            {**_LOCAL, Base.OffsetTimeOriginal: "+07:00", Base.SubsecTimeOriginal: "25"},
            _BY_GPS,
            _NINE + 250_000,
            None,
            id="with a fraction, before GPS",
        ),
        pytest.param(_LOCAL, _BY_GPS, _NINE + 12_500_000, None, id="GPS where the clock has no zone"),
        pytest.param(_LOCAL, {}, _NINE, "zone_assumed", id="the region's zone"),
        pytest.param({**_LOCAL, Base.OffsetTimeOriginal: "junk"}, {}, _NINE, "zone_assumed", id="bad zone"),
        pytest.param(
            {Base.DateTimeOriginal: "0000:00:00 00:00:00"}, {}, None, "time_missing", id="unset clock"
        ),
        pytest.param({}, {GPS.GPSDateStamp: "2026:07:01"}, None, "time_missing", id="half of GPS"),
        pytest.param({}, {}, None, "time_missing", id="nothing"),
    ],
)
def test_when_a_photo_was_taken(
    tmp_path: Path, exif: dict[int, Any], gps: dict[int, Any], time_us: int | None, reason: str | None
) -> None:
    assert taken_us(_tags(tmp_path, exif=exif, gps=gps)) == (time_us, reason)


def test_a_picture_is_blue_green_red_and_not_turned(tmp_path: Path) -> None:
    picture = textured().copy()
    picture[:, :, 0] = 200
    picture[:, :, 1:] = 20
    image, _ = read_picture(photo(tmp_path, picture=picture, base={Base.Orientation: 6}))
    assert image.shape == picture.shape
    assert image[100, 100].astype(int) == pytest.approx([200, 20, 20], abs=4)


@pytest.mark.parametrize("keep", [0, 1, 2, 20, 0.2, 0.5, 0.9, -200, -3, -2, -1])
def test_a_truncated_photo_is_refused_by_name_wherever_it_ends(tmp_path: Path, keep: float) -> None:
    whole = jpeg()
    end = round(keep * len(whole)) if isinstance(keep, float) else keep
    file = tmp_path / "DJI_0009.JPG"
    file.write_bytes(whole[:end])
    with pytest.raises(BadInputError, match=r"DJI_0009\.JPG"):
        read_picture(file)


def test_a_photo_whose_end_is_zeros_or_that_is_something_else_is_refused(tmp_path: Path) -> None:
    whole = jpeg()
    for name, data in (
        ("zeros.jpg", whole[: len(whole) // 2] + bytes(len(whole) // 2)),
        ("text.jpg", b"hello" * 100),
        ("png.jpg", b"\x89PNG\r\n\x1a\n" + whole),
    ):
        file = tmp_path / name
        file.write_bytes(data)
        with pytest.raises(BadInputError, match=name):
            read_picture(file)
    with pytest.raises(BadInputError, match=r"absent.jpg: cannot be read"):
        read_picture(tmp_path / "absent.jpg")


def test_bytes_after_the_end_do_not_matter(tmp_path: Path) -> None:
    file = tmp_path / "a.jpg"
    file.write_bytes(jpeg() + b"preview" * 50)
    assert read_picture(file)[0].shape == (480, 640, 3)


def test_a_photo_with_a_preview_behind_it_is_read_as_drones_write_it(tmp_path: Path) -> None:
    """DJI puts a second picture behind the first (CIPA DC-007): the first is the photo."""
    first, second = (Image.fromarray(textured()[:size, :size]) for size in (320, 96))
    file = tmp_path / "two.jpg"
    first.save(file, format="MPO", save_all=True, append_images=[second], xmp=packet(DJI))
    image, tags = read_picture(file)
    assert image.shape == (320, 320, 3)
    assert tags.dji["RelativeAltitude"] == "+30.00"
