"""Shift and turn pictures against each other by what several of them show.

A picture's place is known to a metre or three (GNSS), its heading to a degree or two: more than the distance between
potholes. All things of one picture are off together, though. Points of the ground that look alike in two pictures
(:mod:`serayu.vision.survey.marks`) tell how these lie to each other, to less than a hand's breadth where the ground has
any texture; elsewhere the same pattern of found things does. All such ties together, with what is known of each
picture as prior, give by least squares a shift, turn and scale of each; ties that the others contradict, as a row of
equal road markings makes, lose their weight (Cauchy). Nothing moves the survey as a whole but the mean of its pictures.
[project proposal]
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import spsolve
from shapely.geometry.base import BaseGeometry

from serayu.models.survey.finding import DefectClass
from serayu.vision.sighting import Sighting
from serayu.vision.survey.frames import Frame
from serayu.vision.survey.marks import common_marks

__all__ = ["Alignment", "Anchor", "align"]

Floats = npt.NDArray[np.float64]

_REACH_SIGMAS = 3.0
_LEAST_REACH_M = 0.5
_SIZE_RATIO = 0.5  # the smaller of two sizes of one thing over the larger, at least
_TIE_SIGMA_M = 0.1  # how well the middle of one thing is hit in two pictures: boxes and masks differ
_MARK_SIGMA_M = 0.05  # the same of points that look alike, means of some
_LEAST_SIGMA_M = 0.02
_TIGHT_M = 0.3  # middles of one thing in two pictures that lie right to each other
_RIVAL = 0.7  # of the best motion's score: another that good makes a pair doubtful [project proposal]
_COMMON_SHARE = (
    0.3  # of the smaller picture: with less in common, marks are few and other neighbours tie better
)
_LEAST_TURN = 0.02  # radians, and parts of one: lenses and relief bend pictures that much anyway
_CAUCHY = 2.4  # sigmas at which a tie counts half [Holland & Welsch 1977: 2.385]
_ROUNDS = 10  # of reweighting; what is wrong by metres has lost its weight long before
_WRONG_M = 0.5  # marks that the others put farther apart are not the same
_PASSES = 3
_UNKNOWNS = 4  # a, b, east, north of each picture


@dataclass(frozen=True, slots=True)
class Anchor:
    """A thing that a picture shows whole: its middle, metres, and the root of its size."""

    label: DefectClass
    xy_m: tuple[float, float]
    size: float


@dataclass(frozen=True, slots=True)
class Alignment:
    """How each picture is moved; pictures that are not named stay.

    Parameters
    ----------
    moves
        By unit: middle of the picture (2), then a, b, east, north: ``x' = x + a dx - b dy + east``,
        ``y' = y + b dx + a dy + north``.
    residual_m
        Root mean square distance of things that pairs of pictures share, after moving; None without any.
    tied
        Pictures that share things with another one.
    """

    moves: Mapping[str, Floats] = field(default_factory=dict)
    residual_m: float | None = None
    tied: frozenset[str] = frozenset()

    def moved(self, unit: str, figure: BaseGeometry) -> BaseGeometry:
        """Return a figure of a picture where it lies after moving."""
        if unit not in self.moves:
            return figure
        done: BaseGeometry = shapely.transform(figure, lambda xy: self.points(unit, xy))
        return done

    def points(self, unit: str, xy_m: Floats) -> Floats:
        """Return points of a picture, shape (n, 2), where they lie after moving."""
        if unit not in self.moves:
            return xy_m
        return _moved(self.moves[unit], xy_m)


def align(sightings: Sequence[Sighting], frames: Mapping[str, Frame]) -> Alignment:
    """Return how to move the pictures so that what they share coincides; whatever the order of the input."""
    anchors = _anchors(sightings, frames)
    names = sorted(frames)
    if len(names) < 2:  # noqa: PLR2004 -- a pair
        return Alignment()
    pairs = list(_overlapping(names, frames))
    with ThreadPoolExecutor(
        thread_name_prefix="serayu-survey-align"
    ) as pool:  # OpenCV matches without the lock
        marked = [
            tie for ties in pool.map(lambda pair: _marked(pair[0], pair[1], frames), pairs) for tie in ties
        ]
    known = {(tie.first, tie.second) for tie in marked}
    open_pairs = [pair for pair in pairs if pair not in known and pair[0] in anchors and pair[1] in anchors]
    moves = {name: np.array([*frames[name].centre_m, 0.0, 0.0, 0.0, 0.0]) for name in names}
    if marked:
        for step in range(_ROUNDS):
            moves = _solved(names, marked, frames, moves, settled=step > 0)
        marked = [tie for tie in marked if _off(tie, moves) <= _WRONG_M]
    ties = marked
    for step in range(_PASSES if open_pairs else 0):
        ties = marked + [
            tie for pair in open_pairs for tie in _ties(*pair, anchors, frames, moves, settled=step > 0)
        ]
        moves = _solved(names, ties, frames, moves, settled=step > 0)
    if not ties:
        return Alignment()
    apart = [_off(tie, moves) for tie in ties]
    tied = frozenset(name for tie in ties for name in (tie.first, tie.second))
    return Alignment(moves, float(np.sqrt(np.mean(np.square(apart)))), tied)


@dataclass(frozen=True, slots=True)
class _Tie:
    first: str
    second: str
    one: Floats
    two: Floats
    sigma_m: float = _TIE_SIGMA_M


def _anchors(sightings: Sequence[Sighting], frames: Mapping[str, Frame]) -> dict[str, list[Anchor]]:
    found: dict[str, list[Anchor]] = {}
    for one in sorted(sightings, key=lambda sighting: (sighting.unit, sighting.index)):
        if one.cut or one.unit not in frames:
            continue
        figure = one.measured.figure
        middle = figure.centroid
        size = float(np.sqrt(figure.area)) if figure.area > 0 else float(figure.length)
        found.setdefault(one.unit, []).append(Anchor(one.label, (middle.x, middle.y), max(size, 1e-3)))
    return found


def _overlapping(names: Sequence[str], frames: Mapping[str, Frame]) -> Iterator[tuple[str, str]]:
    prints = [frames[name].footprint for name in names]
    tree = shapely.STRtree(prints)
    for i, j in sorted(map(tuple, tree.query(prints, predicate="intersects").T.tolist())):
        if i < j:
            yield names[i], names[j]


def _marked(first: str, second: str, frames: Mapping[str, Frame]) -> list[_Tie]:
    """Return the points of the ground that two pictures share by what they look like."""
    one, two = frames[first], frames[second]
    if one.marks is None or two.marks is None:
        return []
    common = shapely.intersection(one.footprint, two.footprint).area
    if common < _COMMON_SHARE * min(one.footprint.area, two.footprint.area):
        return []
    sigma = float(np.hypot(one.sigma_m, two.sigma_m))
    turn = float(np.hypot(one.turn_sigma, two.turn_sigma))
    corner = float(np.hypot(*(shapely.get_coordinates(one.footprint) - one.centre_m).T).max())
    reach = max(_LEAST_REACH_M, _REACH_SIGMAS * float(np.hypot(sigma, turn * corner)))
    shared = common_marks(one.marks, two.marks, reach_m=reach, turn=_REACH_SIGMAS * turn + _LEAST_TURN)
    if shared is None:
        return []
    return [_Tie(first, second, here, there, _MARK_SIGMA_M) for here, there in zip(*shared, strict=True)]


def _ties(
    first: str,
    second: str,
    anchors: Mapping[str, list[Anchor]],
    frames: Mapping[str, Frame],
    moves: Mapping[str, Floats],
    *,
    settled: bool,
) -> Iterator[_Tie]:
    """Yield the things that two pictures share: those of the rigid motion that most of them agree on.

    One thing alone ties two pictures only where nothing else could be meant. Where another motion is nearly as good,
    none is taken: other pairs will tell. Once the pictures are settled by others, only small motions are tried.
    """
    ones, twos = anchors[first], anchors[second]
    xy1, xy2 = (np.array([a.xy_m for a in group]) for group in (ones, twos))
    at1, at2 = _moved(moves[first], xy1), _moved(moves[second], xy2)
    worth = _worth(ones, twos)
    deltas = at2[None, :] - at1[:, None]
    far = np.hypot(deltas[..., 0], deltas[..., 1])
    sigma = max(float(np.hypot(frames[first].sigma_m, frames[second].sigma_m)), _LEAST_SIGMA_M)
    turn = float(np.hypot(frames[first].turn_sigma, frames[second].turn_sigma))
    near = max(_TIGHT_M, 2 * turn * float(np.median(_from_middle(xy1, frames[first]))))
    reach = max(_LEAST_REACH_M, near if settled else _REACH_SIGMAS * sigma)
    candidates = np.argwhere((worth > 0) & (far <= reach))
    tried = []
    for i, j in candidates.tolist():
        score, matched = _agreement(at1, at2, worth, deltas[i, j], near, turn)
        tried.append((score - (far[i, j] / sigma) ** 2 / 8, deltas[i, j], matched))
    if not tried:
        return
    best_score, best_delta, matched = max(tried, key=lambda one: (one[0], -float(np.hypot(*one[1]))))
    if not settled:
        rival = max(
            (score for score, delta, _ in tried if np.hypot(*(delta - best_delta)) > 2 * near), default=0.0
        )
        if rival > _RIVAL * best_score or (len(matched) == 1 and len(candidates) > 1):
            return
    for i, j in matched:
        yield _Tie(first, second, xy1[i], xy2[j])


def _worth(ones: Sequence[Anchor], twos: Sequence[Anchor]) -> Floats:
    """Return how well each of one picture's things fits each of another's by class and size, 0-1."""
    sizes = np.log([a.size for a in ones])[:, None] - np.log([b.size for b in twos])[None, :]
    same = np.array([[a.label is b.label for b in twos] for a in ones])
    worth: Floats = np.where(same, np.clip(1 - np.abs(sizes) / -np.log(_SIZE_RATIO), 0, 1), 0.0)
    return worth


def _agreement(
    at1: Floats, at2: Floats, worth: Floats, delta: Floats, near: float, turn: float
) -> tuple[float, list[tuple[int, int]]]:
    """Return how much of two pictures agrees under a shift, refined by a small turn, and the pairs that do."""
    matched = _matched(np.linalg.norm(at2[None] - at1[:, None] - delta, axis=2), worth, near)
    moved = at1 + delta
    if len(matched) > 1:
        rows, columns = (np.array(side) for side in zip(*matched, strict=True))
        middle = at1[rows].mean(axis=0)
        off = at1[rows] - middle
        left = at2[columns] - at1[rows]
        shift = left.mean(axis=0)
        left = left - shift
        spread = float((off**2).sum()) + (_TIE_SIGMA_M / max(turn, 1e-6)) ** 2
        a, b = (
            float((off * left).sum()) / spread,
            float((off[:, 0] * left[:, 1] - off[:, 1] * left[:, 0]).sum()) / spread,
        )
        dx, dy = (at1 - middle).T
        moved = at1 + shift + np.column_stack((a * dx - b * dy, b * dx + a * dy))
    apart = np.linalg.norm(at2[None] - moved[:, None], axis=2)
    matched = _matched(apart, worth, _TIGHT_M)
    return sum(float(worth[i, j] * (1 - (apart[i, j] / _TIGHT_M) ** 2)) for i, j in matched), matched


def _matched(apart: Floats, worth: Floats, near: float) -> list[tuple[int, int]]:
    """Return pairs one to one, nearest first."""
    rows, columns = np.nonzero((worth > 0) & (apart <= near))
    order = np.lexsort((columns, rows, apart[rows, columns]))
    used_rows: set[int] = set()
    used_columns: set[int] = set()
    pairs = []
    for i, j in zip(rows[order].tolist(), columns[order].tolist(), strict=True):
        if i not in used_rows and j not in used_columns:
            used_rows.add(i)
            used_columns.add(j)
            pairs.append((i, j))
    return pairs


def _solved(
    names: Sequence[str],
    ties: Sequence[_Tie],
    frames: Mapping[str, Frame],
    moves: Mapping[str, Floats],
    *,
    settled: bool,
) -> dict[str, Floats]:
    """Return moves by least squares: ties at `_TIE_SIGMA_M`, each unknown at its prior."""
    place = {name: _UNKNOWNS * index for index, name in enumerate(names)}
    rows: list[int] = []
    columns: list[int] = []
    values: list[float] = []
    right: list[float] = []

    def equation(terms: Sequence[tuple[int, float]], wanted: float, sigma: float) -> None:
        for column, value in terms:
            rows.append(len(right))
            columns.append(column)
            values.append(value / sigma)
        right.append(wanted / sigma)

    for name in names:
        at, frame = place[name], frames[name]
        turn = max(frame.turn_sigma, 1e-5)
        for offset, sigma in ((0, turn), (1, turn), (2, frame.sigma_m), (3, frame.sigma_m)):
            equation([(at + offset, 1.0)], 0.0, max(sigma, 1e-5 if offset < 2 else _LEAST_SIGMA_M))  # noqa: PLR2004
    for tie in ties:
        one, two = tie.one - moves[tie.first][:2], tie.two - moves[tie.second][:2]
        at, to = place[tie.first], place[tie.second]
        apart = tie.two - tie.one
        off = _off(tie, moves) / (_CAUCHY * tie.sigma_m) if settled else 0.0
        sigma = tie.sigma_m * float(np.hypot(1.0, off))
        equation(
            [(at, one[0]), (at + 1, -one[1]), (at + 2, 1), (to, -two[0]), (to + 1, two[1]), (to + 2, -1)],
            apart[0],
            sigma,
        )
        equation(
            [(at, one[1]), (at + 1, one[0]), (at + 3, 1), (to, -two[1]), (to + 1, -two[0]), (to + 3, -1)],
            apart[1],
            sigma,
        )
    matrix = coo_matrix((values, (rows, columns)), shape=(len(right), _UNKNOWNS * len(names))).tocsr()
    solution = spsolve((matrix.T @ matrix).tocsc(), matrix.T @ np.array(right))
    return {
        name: np.concatenate((moves[name][:2], solution[place[name] : place[name] + _UNKNOWNS]))
        for name in names
    }


def _moved(move: Floats, xy_m: Floats) -> Floats:
    middle, (a, b, east, north) = move[:2], move[2:]
    dx, dy = (xy_m - middle).T
    moved: Floats = xy_m + np.column_stack((a * dx - b * dy + east, b * dx + a * dy + north))
    return moved


def _off(tie: _Tie, moves: Mapping[str, Floats]) -> float:
    """Return how far apart two pictures put a tie, m."""
    dx, dy = _moved(moves[tie.first], tie.one[None])[0] - _moved(moves[tie.second], tie.two[None])[0]
    return float(np.hypot(dx, dy))


def _from_middle(xy_m: Floats, frame: Frame) -> Floats:
    dx, dy = (xy_m - frame.centre_m).T
    off: Floats = np.hypot(dx, dy)
    return off
