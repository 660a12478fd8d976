"""Features on one scale: drawn in to their usual range, centred, in units of their spread."""

import numpy as np
import numpy.typing as npt

from serayu.models.flood.frame import FloatArray

__all__ = ["Scale", "learn_scale", "scaled"]

Scale = tuple[npt.NDArray[np.bool_], FloatArray, FloatArray, FloatArray, FloatArray]
"""Which columns are used, then of each of them: lowest, highest, centre, spread."""

_CLIP = 0.0005
_SEEN = 20


def learn_scale(values: npt.NDArray[np.float32], weight: FloatArray) -> Scale:
    """Return the scale of every feature that is known often enough.

    Parameters
    ----------
    values
        Shape (n, p); NaN unknown.
    weight
        How many rows each stands for, shape (n,).

    Notes
    -----
    The usual range is 0.05 to 99.95 % of the known values, so that one typing error moves no forecast
    [project proposal].
    """
    seen = np.isfinite(values).sum(axis=0)
    used = seen >= min(_SEEN, max(1, len(values) // 2))
    # Sorted columns end with what is unknown: a quantile is a place, found without a slow nanquantile.
    ordered, last = np.sort(values[:, used], axis=0).astype(np.float64), seen[used] - 1
    column = np.arange(ordered.shape[1])
    low, high = (ordered[np.round(share * last).astype(np.int64), column] for share in (_CLIP, 1 - _CLIP))
    chosen = np.clip(values[:, used].astype(np.float64), low, high)
    share = np.where(np.isfinite(chosen), weight[:, None], 0.0)
    total = share.sum(axis=0)
    centre = (np.nan_to_num(chosen) * share).sum(axis=0) / total
    variance = (np.nan_to_num(chosen - centre) ** 2 * share).sum(axis=0) / total
    spread = np.where(variance > 1e-18, np.sqrt(variance), 1.0)  # noqa: PLR2004 - a constant column
    return used, low, high, centre, spread


def scaled(values: npt.NDArray[np.float32], scale: Scale) -> FloatArray:
    """Return the used features on their scale, shape (n, used); an unknown one counts at its mean, 0."""
    used, low, high, centre, spread = scale
    chosen = np.clip(values[:, used].astype(np.float64), low, high)
    return np.asarray(np.nan_to_num((chosen - centre) / spread), dtype=np.float64)
