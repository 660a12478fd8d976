"""A small neural network: bends where the straight line of the ridge does not."""

import numpy as np
import numpy.typing as npt

from serayu.models.flood.frame import FloatArray
from serayu.models.flood.methods.scaling import Scale, learn_scale, scaled
from serayu.models.flood.table import Table

__all__ = ["Network"]

Array = npt.NDArray[np.float32]

_HIDDEN = 32
_ROUNDS = 25
_BATCH = 256
_STEP = 0.004
_DECAY = 0.02
_CLIP = 6.0
_MEAN_SHARE, _SQUARE_SHARE = 0.1, 0.001


class Network:
    """One hidden layer of 32 rectified units beside a linear part, for all targets at once.

    Squared error, weight decay, Adam (Kingma and Ba 2015) with a step that falls to 0; sizes and rates were
    chosen on the development series [project proposal]. Written in numpy: it takes a quarter of a second, one
    row takes microseconds, and the file holds plain arrays.
    """

    on_ridge = False

    def __init__(self, *, seed: int) -> None:
        self.name = "network"
        self.seed = seed
        self.scale: Scale | None = None
        self.spread = np.ones(0)
        self.parts: list[Array] = []

    def _inputs(self, table: Table) -> Array:
        if self.scale is None:
            raise RuntimeError("predict before fit")
        return np.clip(scaled(table.values, self.scale), -_CLIP, _CLIP).astype(np.float32)

    def fit(self, table: Table, changes: FloatArray, weight: FloatArray) -> None:
        """Learn the weights of the net."""
        self.scale = learn_scale(table.values, weight)
        spread = np.sqrt(np.average(changes**2, axis=0, weights=weight))
        self.spread = np.where(spread > 0, spread, 1.0)
        inputs, wanted = self._inputs(table), (changes / self.spread).astype(np.float32)
        share = (weight / weight.mean()).astype(np.float32)
        rng = np.random.default_rng(self.seed)
        self.parts = _first(rng, inputs.shape[1], wanted.shape[1])
        adam = _Adam(self.parts)
        count = -(-len(inputs) // _BATCH)
        for _ in range(_ROUNDS):
            order = rng.permutation(len(inputs))
            for number in range(count):
                rows = order[number * _BATCH : (number + 1) * _BATCH]
                slopes = _slopes(self.parts, inputs[rows], wanted[rows], share[rows, None])
                adam.move(self.parts, slopes, step=_STEP * (1 - adam.done / (_ROUNDS * count)))

    def predict(self, table: Table) -> FloatArray:
        """Return the mean change, shape (n, k)."""
        _, said = _forward(self.parts, self._inputs(table))
        return np.asarray(said * self.spread, dtype=np.float64)


class _Adam:
    """Steps that each weight sizes by its own recent gradients."""

    def __init__(self, parts: list[Array]) -> None:
        self.done = 0
        self.means = [np.zeros_like(part) for part in parts]
        self.squares = [np.zeros_like(part) for part in parts]

    def move(self, parts: list[Array], slopes: list[Array], *, step: float) -> None:
        """Move *parts* against *slopes*, in place."""
        self.done += 1
        for k, slope in enumerate(slopes):
            self.means[k] += _MEAN_SHARE * (slope - self.means[k])
            self.squares[k] += _SQUARE_SHARE * (slope**2 - self.squares[k])
            root = np.sqrt(self.squares[k] / (1 - (1 - _SQUARE_SHARE) ** self.done)) + 1e-8
            parts[k] -= np.float32(step) * (self.means[k] / (1 - (1 - _MEAN_SHARE) ** self.done)) / root


def _first(rng: np.random.Generator, inputs: int, targets: int) -> list[Array]:
    """Return weights to start from: into the layer, its offsets, out of it, offsets, and the linear part."""
    parts = [
        rng.normal(0, inputs**-0.5, (inputs, _HIDDEN)),
        np.zeros(_HIDDEN),
        rng.normal(0, 0.3 * _HIDDEN**-0.5, (_HIDDEN, targets)),
        np.zeros(targets),
        np.zeros((inputs, targets)),
    ]
    return [part.astype(np.float32) for part in parts]


def _forward(parts: list[Array], inputs: Array) -> tuple[Array, Array]:
    into, offset, out, constant, straight = parts
    hidden = np.maximum(inputs @ into + offset, 0)
    return hidden, hidden @ out + constant + inputs @ straight


def _slopes(parts: list[Array], inputs: Array, wanted: Array, share: Array) -> list[Array]:
    """Return the gradient of half the mean squared error plus the decay, for each part."""
    hidden, said = _forward(parts, inputs)
    miss = (said - wanted) * share / np.float32(len(inputs))
    back = (miss @ parts[2].T) * (hidden > 0)
    decay = np.float32(_DECAY)
    return [
        inputs.T @ back + decay * parts[0],
        back.sum(axis=0),
        hidden.T @ miss + decay * parts[2],
        miss.sum(axis=0),
        inputs.T @ miss,
    ]
