"""Boxes of findings in the photos that show them: what reviews become training labels with."""

from typing import NamedTuple

import msgspec

__all__ = ["CropFrame", "FindingBox", "PhotoBoxes", "SurveyPhotos", "crop_bounds", "crop_frame"]

_MARGIN = 0.25  # of a thing's size around it in its crop [project proposal]
_MARGIN_PX = 24  # at least


class FindingBox(msgspec.Struct, frozen=True):
    """Where a photo shows a finding.

    Parameters
    ----------
    finding
        Its id.
    xyxy_px
        Left, upper, right and lower edge in the photo, px; (0, 0) is its upper-left corner.
    """

    finding: str
    xyxy_px: tuple[float, float, float, float]


class PhotoBoxes(msgspec.Struct, frozen=True):
    """All that was found in one photo.

    Parameters
    ----------
    photo
        Name of the photo, or of the window of an orthophoto.
    width_px, height_px
        Its size.
    unplaced
        How many things were detected in it that are no finding, because they could not be put on the ground.
    boxes
        Of the findings, in the order of the detector.
    """

    photo: str
    width_px: int
    height_px: int
    unplaced: int
    boxes: tuple[FindingBox, ...]


class SurveyPhotos(msgspec.Struct, frozen=True):
    """The document ``sightings.json``."""

    survey: str
    photos: tuple[PhotoBoxes, ...]


class CropFrame(NamedTuple):
    """Size of the cut from a photo that a crop shows, and the finding's box in it; px of the photo."""

    width: int
    height: int
    box: tuple[float, float, float, float]


def crop_bounds(
    xyxy_px: tuple[float, float, float, float], *, width_px: int, height_px: int
) -> tuple[int, int, int, int]:
    """Return left, upper, right and lower edge of the crop that shows a box of a photo, px.

    Parameters
    ----------
    xyxy_px
        The box.
    width_px, height_px
        Size of the photo: the crop ends at its edges and holds a pixel at least.
    """
    left, top, right, bottom = xyxy_px
    margin = max(_MARGIN_PX, _MARGIN * max(right - left, bottom - top))
    x0, x1 = (int(min(max(value, 0), width_px)) for value in (left - margin, right + margin))
    y0, y1 = (int(min(max(value, 0), height_px)) for value in (top - margin, bottom + margin))
    return x0, y0, max(x1, x0 + 1), max(y1, y0 + 1)


def crop_frame(xyxy_px: tuple[float, float, float, float], *, width_px: int, height_px: int) -> CropFrame:
    """Return what the crop of a box shows and where the box lies in it; parameters as of `crop_bounds`."""
    left, top, right, bottom = crop_bounds(xyxy_px, width_px=width_px, height_px=height_px)
    x0, y0, x1, y1 = xyxy_px
    return CropFrame(right - left, bottom - top, (x0 - left, y0 - top, x1 - left, y1 - top))
