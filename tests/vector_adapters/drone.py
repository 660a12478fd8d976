"""Vectors of drone imagery: scales, rays to the ground, XMP, what shows of a crack."""

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from serayu.models.plane import LocalPlane
from serayu.vision.pose import geometry, xmp
from serayu.vision.pose.attitude import Pose, Sigmas
from serayu.vision.pose.camera import Camera
from serayu.vision.pose.photo_ground import PhotoGround
from tests.vector_adapters.values import Adapter

_EXACT = Sigmas(horizontal_m=0, height_m=0, yaw_deg=0, tilt_deg=0)


def _gsd(
    *, sensor_width_mm: float, altitude_m: float, focal_mm: float, image_width_px: float
) -> Mapping[str, object]:
    found = geometry.gsd_mm(
        sensor_width_mm=sensor_width_mm,
        focal_mm=focal_mm,
        image_width_px=image_width_px,
        height_m=altitude_m,
    )
    return {"gsd_mm_per_px": found}


def _altitude(
    *, sensor_width_mm: float, focal_mm: float, image_width_px: float, gsd_mm: float
) -> Mapping[str, object]:
    found = geometry.altitude_for_gsd_m(
        gsd_mm, sensor_width_mm=sensor_width_mm, focal_mm=focal_mm, image_width_px=image_width_px
    )
    return {"altitude_m": found}


def _pixel_to_ground(  # noqa: PLR0913 -- as the vectors have it
    *,
    pixel: Sequence[float],
    cx: float,
    cy: float,
    fpx: float,
    gimbal_yaw: float,
    gimbal_pitch: float,
    gimbal_roll: float,
    relative_altitude_m: float,
    camera_lat: float,
    camera_lon: float,
) -> Mapping[str, object]:
    camera = Camera(round(2 * cx), round(2 * cy), (fpx, fpx), (cx, cy))
    pose = Pose(
        camera_lon, camera_lat, relative_altitude_m, gimbal_yaw, gimbal_pitch, gimbal_roll, sigmas=_EXACT
    )
    plane = LocalPlane(camera_lon)
    met = PhotoGround(camera, pose, plane).ground_m(np.array([pixel], dtype=float))
    if not np.isfinite(met).all():
        return {"east_m": math.nan, "north_m": math.nan, "lat": math.nan, "lon": math.nan}
    start = plane.forward(np.array([[camera_lon, camera_lat]]))
    (east, north), (lon, lat) = (met - start)[0], plane.inverse(met)[0]
    return {"east_m": float(east), "north_m": float(north), "lat": float(lat), "lon": float(lon)}


def _xmp_parse(*, fragment: str) -> Mapping[str, object]:
    packet = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description xmlns:drone-dji="{xmp.DJI_NAMESPACE}" {fragment}/></rdf:RDF></x:xmpmeta>'
    )
    (value,) = xmp.tags(packet.encode()).values()
    return {"value": xmp.signed_number(value)}


def _visibility(*, crack_mm: float, gsd_mm: float) -> Mapping[str, object]:
    return {"grade": geometry.crack_visibility(crack_mm, gsd_mm_px=gsd_mm).value}


ADAPTERS: Mapping[str, Adapter] = MappingProxyType(
    {
        "drone.gsd": _gsd,
        "drone.altitude_for_gsd": _altitude,
        "drone.pixel_to_ground": _pixel_to_ground,
        "drone.xmp_parse": _xmp_parse,
        "crack.visibility": _visibility,
    }
)
