"""Noise that depends only on what it disturbs: the same station, property and time get the same number."""

import hashlib

import numpy as np
import numpy.typing as npt

__all__ = ["noise_key", "uniform_noise"]

FloatArray = npt.NDArray[np.float64]

# SplitMix64: Steele, Lea and Flood, Fast Splittable Pseudorandom Number Generators, OOPSLA 2014.
_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


def noise_key(*parts: object) -> int:
    """Return a 64-bit key of texts and numbers, the same in every process (unlike ``hash``)."""
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def uniform_noise(key: int, times_us: npt.ArrayLike) -> FloatArray:
    """Return one number for each time.

    Parameters
    ----------
    key
        From :func:`noise_key`.
    times_us
        Integer microseconds, any shape.

    Returns
    -------
    numpy.ndarray
        Uniform over -1 to 1, shape of the input.
    """
    ticks = np.asarray(times_us, dtype=np.int64).astype(np.uint64)
    with np.errstate(over="ignore"):  # arithmetic modulo 2^64 is the method
        state = (ticks ^ np.uint64(key)) * _GAMMA + _GAMMA
        state = (state ^ (state >> np.uint64(30))) * _MIX_1
        state = (state ^ (state >> np.uint64(27))) * _MIX_2
        state ^= state >> np.uint64(31)
    return np.asarray((state >> np.uint64(11)).astype(np.float64) * 2.0**-52 - 1.0)
