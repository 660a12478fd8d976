"""Boxes of findings in the photos that show them: what reviews become training labels with."""

import msgspec

__all__ = ["FindingBox", "PhotoBoxes", "SurveyPhotos"]


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
