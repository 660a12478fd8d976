"""The colours of one flight: light, asphalt, soil and green, drawn once so that all photos of it belong together."""

from dataclasses import dataclass

import numpy as np

from serayu.vision.flight.noise import generator

__all__ = ["Look"]

Colour = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Look:
    """Blue, green, red in grey levels 0-255.

    Parameters
    ----------
    asphalt, soil, grass, rice, leaves, clay
        Mean colours.
    grain
        Standard deviation of the asphalt's stones, grey levels.
    wear
        How worn the paint is, 0-1.
    tracks
        How much darker (negative) or lighter the tyre tracks are, grey levels.
    """

    asphalt: Colour
    soil: Colour
    grass: Colour
    rice: Colour
    leaves: Colour
    clay: Colour
    grain: float
    wear: float
    tracks: float

    @classmethod
    def drawn(cls, seed: int) -> "Look":
        """Return the look of a flight.

        Asphalt's mean and spread follow the drone pictures that the detectors learn from: blue 147 (112-177), green
        149 (120-182), red 152 (118-183), median and the middle 80 % over 300 of them.
        """
        rng = generator(seed, "look")
        grey = float(np.clip(rng.normal(142, 14), 112, 172))
        cast = rng.normal(0, 3.0)
        warm = rng.normal(0, 4.0)
        return cls(
            asphalt=(grey - cast, grey, grey + cast),
            soil=(104 - warm, 134, 160 + warm),
            grass=(62.0, 112 + warm, 102 + warm),
            rice=(72.0, 140 + warm, 112.0),
            leaves=(42.0, 84.0, 66 + warm / 2),
            clay=(70 - warm, 102, 140 + warm),
            grain=float(rng.uniform(6.5, 10.5)),
            wear=float(rng.uniform(0.25, 0.6)),
            tracks=float(rng.choice([-1, 1]) * rng.uniform(3, 8)),
        )
