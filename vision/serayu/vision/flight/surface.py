"""The ground without defects: asphalt with its grain, joints, tracks and paint; shoulder, grass and rice beside it."""

from dataclasses import dataclass

import cv2
import numpy as np

from serayu.vision.flight.look import Colour, Look
from serayu.vision.flight.noise import Noise, Raster
from serayu.vision.flight.road import Grid
from serayu.vision.flight.scene import SHOULDER_M, Scene

__all__ = ["Surface", "mixed", "smooth_step"]

GRAIN_TEXEL_M = 0.006  # at which `Look.grain` holds; coarser texels average more stones
_DASH_M, _GAP_M = 3.0, 5.0  # of the middle line below 60 km/h [from memory of Permenhub PM 34/2014]
_LINE_M = 0.12  # width of painted lines, the same source
_EDGE_LINE_M = 0.25  # from the pavement's edge to the middle of the edge line [project proposal]
_PAINT: Colour = (214.0, 218.0, 220.0)
_SOFT_M = 0.012  # of the pavement's ragged edge
_FIELD_M = 3.2  # width of the grass strip beside the shoulder


@dataclass(frozen=True, slots=True)
class _Place:
    """A raster with the road's coordinates at its texels."""

    raster: Raster
    station: Grid
    offset: Grid
    away: Grid


def smooth_step(values: Grid, low: float, high: float) -> Grid:
    """Return 0 below `low`, 1 above `high` and a smooth ramp between."""
    share = np.clip((values - np.float32(low)) / np.float32(high - low), 0, 1)
    step: Grid = share * share * (3 - 2 * share)
    return step


def mixed(below: Grid, above: Grid | Colour, share: Grid) -> Grid:
    """Return two pictures mixed by a share of the upper one, 0-1, of shape (rows, columns)."""
    upper = np.asarray(above, dtype=np.float32)
    found: Grid = below + (upper - below) * share[..., None]
    return found


class Surface:
    """Paints the ground of a scene.

    Parameters
    ----------
    scene
        What to paint.
    look
        Its colours.
    noise
        Of the flight.
    """

    def __init__(self, scene: Scene, look: Look, noise: Noise) -> None:
        self._scene, self._look, self._noise = scene, look, noise
        self._half = scene.road.width_m / 2

    def painted(self, raster: Raster) -> Grid:
        """Return the ground, blue green red in grey levels, shape (size, size, 3)."""
        x, y = raster.centres()
        station, offset = self._scene.road.station_offset(x, y)
        place = _Place(raster, station, offset, np.abs(offset))
        ragged = 0.05 * self._noise.field("edge", raster, cell_m=0.25)
        ragged += 0.04 * self._noise.field("edge fine", raster, cell_m=0.06)
        beyond = place.away - np.float32(self._half) + ragged
        if beyond.max() < 0:
            return self._asphalt(place)
        verge = self._coarse_verge(raster)
        if beyond.min() > _SOFT_M:
            return verge
        return mixed(self._asphalt(place), verge, smooth_step(beyond, -_SOFT_M, _SOFT_M))

    def _asphalt(self, place: _Place) -> Grid:
        raster, look = place.raster, self._look
        grey = self._grain(raster, look.grain)
        grey += 3.0 * self._noise.field("mottle", raster, cell_m=0.55)
        grey += 2.8 * self._noise.field("spots", raster, cell_m=0.03)
        grey += 2.6 * self._noise.at(
            "streaks", place.station / np.float32(2.5), place.offset / np.float32(0.1)
        )
        grey += self._tracks(place) + self._joints(place) + self._stains(raster)
        surface: Grid = grey[..., None] + np.asarray(look.asphalt, dtype=np.float32)
        share = self._paint(place)
        return surface if share is None else mixed(surface, _PAINT, share)

    def _grain(self, raster: Raster, size: float) -> Grid:
        """Return stones: fine noise with a tail to the light side, as bare stones shine, and dark pits."""
        scale = size * min(GRAIN_TEXEL_M / raster.texel_m, 1.6) ** 0.8
        fine = self._noise.grain("stones", raster, sigma=0.75)
        pits = self._noise.grain("pits", raster, sigma=1.3)
        grain: Grid = fine + 0.25 * (fine * fine - 1) - 0.55 * np.clip(pits - 1.2, 0, None)
        return (grain * np.float32(0.75 * scale)).astype(np.float32)

    def _tracks(self, place: _Place) -> Grid:
        lane = self._half / 2
        from_lane = np.abs(place.away - np.float32(lane))
        wheel = np.exp(-(((from_lane - np.float32(0.78)) / np.float32(0.3)) ** 2))
        oil = np.exp(-((from_lane / np.float32(0.22)) ** 2))
        uneven = 1 + 0.35 * self._noise.field("tracks", place.raster, cell_m=2.2)
        edge = smooth_step(place.away, self._half - 0.5, self._half)
        tracks: Grid = (wheel * np.float32(self._look.tracks) - 2.5 * oil) * uneven + 7.0 * edge
        return tracks

    def _joints(self, place: _Place) -> Grid:
        """Return the faint seams of paving: between the two passes, and where a day's work ended, every 90 m."""
        wander = 0.02 * self._noise.at("seam", place.station / np.float32(1.5), np.zeros_like(place.station))
        line = np.exp(-(((place.offset - 0.11 + wander) / np.float32(0.012)) ** 2))
        across = np.mod(place.station, np.float32(90.0)) - np.float32(45.0)
        end = np.exp(-((across / np.float32(0.015)) ** 2))
        patchy = np.clip(0.6 + 0.6 * self._noise.field("seam wear", place.raster, cell_m=0.5), 0, 1)
        joints: Grid = -(5.0 * line + 5.0 * end) * patchy
        return joints

    def _stains(self, raster: Raster) -> Grid:
        dark = self._noise.field("stains", raster, cell_m=0.22)
        light = self._noise.field("dust", raster, cell_m=0.9)
        dots = self._noise.field("dots", raster, cell_m=0.035)
        stains: Grid = -5.0 * np.clip(dark - 2.2, 0, 1.5) + 4.0 * np.clip(light - 1.3, 0, 2)
        stains -= 12.0 * np.clip(dots - 3.1, 0, 1.2)
        return stains

    def _paint(self, place: _Place) -> Grid | None:
        """Return how much paint covers each texel: the dashed middle line and both edge lines, worn."""
        soft = max(place.raster.texel_m, 0.006)
        lines = [self._half - _EDGE_LINE_M]
        nearest = np.abs(place.away - np.float32(lines[0]))
        phase = np.mod(place.station, np.float32(_DASH_M + _GAP_M))
        dash = np.minimum(phase, np.float32(_DASH_M) - phase)
        middle = np.minimum(np.float32(_LINE_M / 2) - place.away, dash)
        cover = np.maximum(np.float32(_LINE_M / 2) - nearest, middle)
        if cover.max() < -soft:
            return None
        worn = self._noise.field("wear", place.raster, cell_m=0.4) * 0.7
        worn += self._noise.field("chips", place.raster, cell_m=0.025)
        left = 1 - 0.85 * smooth_step(worn, 1.7 - 2.2 * self._look.wear, 2.6 - 2.2 * self._look.wear)
        share: Grid = np.clip(cover / np.float32(soft) + np.float32(0.5), 0, 1) * left * np.float32(0.86)
        return share

    def _coarse_verge(self, raster: Raster) -> Grid:
        """Return what lies beside the pavement, painted at half the fineness: nobody measures it."""
        half = Raster(raster.column // 2, raster.row // 2, raster.size // 2, raster.texel_m * 2)
        x, y = half.centres()
        station, offset = self._scene.road.station_offset(x, y)
        place = _Place(half, station, offset, np.abs(offset))
        verge = self._verge(place, place.away - np.float32(self._half))
        finer: Grid = cv2.resize(verge, (raster.size, raster.size), interpolation=cv2.INTER_LINEAR)
        rough: Grid = finer + 4 * self._noise.grain("verge", raster, sigma=0.6)[..., None]
        return rough

    def _verge(self, place: _Place, beyond: Grid) -> Grid:
        raster, noise, look = place.raster, self._noise, self._look
        stones = noise.grain("gravel", raster, sigma=1.4)
        soil_grey = 7.0 * stones + 6.0 * noise.field("soil", raster, cell_m=0.3)
        soil_grey += 8.0 * np.clip(noise.field("pebbles", raster, cell_m=0.03) - 1.0, 0, 2)
        surface: Grid = soil_grey[..., None] + np.asarray(look.soil, dtype=np.float32)
        tufts = noise.field("tufts", raster, cell_m=0.5) + 0.6 * noise.field(
            "tufts fine", raster, cell_m=0.12
        )
        grown = smooth_step(beyond * np.float32(1.6) + 0.55 * tufts, SHOULDER_M * 0.9, SHOULDER_M * 1.8)
        surface = mixed(surface, self._green(raster, look.grass, blade_m=0.045), grown)
        field = smooth_step(beyond + 0.25 * tufts, _FIELD_M - 0.15, _FIELD_M + 0.15)
        if field.max() > 0:
            surface = mixed(surface, self._beside(place, beyond), field)
        return surface

    def _green(self, raster: Raster, colour: Colour, *, blade_m: float) -> Grid:
        """Return grass: clumps of light and shade with dry spots."""
        noise = self._noise
        clumps = noise.field("clumps", raster, cell_m=blade_m * 4)
        blades = noise.field("blades", raster, cell_m=blade_m)
        light = 1 + 0.13 * clumps + 0.13 * blades + 0.1 * noise.grain("leaf", raster, sigma=1.0)
        dry = np.clip(0.35 * noise.field("dry", raster, cell_m=0.8), -0.2, 0.6)
        base = np.asarray(colour, dtype=np.float32) + dry[..., None] * np.array([18, 26, 60], np.float32)
        green: Grid = base * np.clip(light, 0.35, 1.8)[..., None]
        return green

    def _beside(self, place: _Place, beyond: Grid) -> Grid:
        """Return what lies beyond the strip of grass: rice in rows, or rough green on the hill."""
        terrain = self._scene.terrain
        hill = (terrain.slope_deg > 0) & (np.sign(place.offset) == terrain.side)
        hill &= np.abs(place.station - np.float32(terrain.centre_m)) < np.float32(terrain.reach_m)
        rough = self._green(place.raster, self._look.leaves, blade_m=0.11)
        if bool(hill.all()):
            return rough
        rows = np.cos(place.offset * np.float32(2 * np.pi / 0.25)) * np.cos(
            place.station * np.float32(2 * np.pi / 0.25)
        )
        tuft = rows + 0.9 * self._noise.field("rice", place.raster, cell_m=0.09)
        mud = np.asarray((78.0, 98.0, 104.0), dtype=np.float32)
        water = mud + 5 * self._noise.field("mud", place.raster, cell_m=0.6)[..., None]
        shade = 1 + 0.12 * self._noise.field("rice shade", place.raster, cell_m=0.05)
        plants: Grid = np.asarray(self._look.rice, dtype=np.float32) * shade[..., None]
        rice = mixed(water, plants, smooth_step(tuft, -0.9, 0.5))
        bund = smooth_step(np.abs(beyond - np.float32(_FIELD_M)), 0.25, 0.4)
        rice = mixed(self._green(place.raster, self._look.grass, blade_m=0.045), rice, bund)
        if hill.any():
            rice = mixed(rice, rough, cv2.GaussianBlur(hill.astype(np.float32), (0, 0), 3))
        return rice
