"""How a survey was made, what it left out and what it cannot say: the report's last pages."""

from dataclasses import dataclass
from statistics import median

from serayu.models.survey.finding import DefectClass
from serayu.vision.documents.facts import Equipment, Facts
from serayu.vision.documents.words import Said, meant, number, say
from serayu.vision.survey.summary import LeftOut as Unmade
from serayu.vision.survey.summary import Summary

__all__ = ["MOST_PROBLEMS", "Fact", "LeftOut", "Problem", "left_out", "limits", "method"]

MOST_PROBLEMS = 100
"""Photos that are named with their problem at most; ``survey.json`` has all [project proposal]."""
_REASONED = frozenset({"refused", "no_pose"})  # their detail is reasons of the quality gate
_KNOWN = frozenset({"corrupt", "refused", "no_pose", "off_ground", "labels", "roads_far"})


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of the table that says how the survey was made."""

    name: Said
    values: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """A photo that is not, or not whole, in the results; *details* are reasons in words."""

    unit: str
    words: Said
    details: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What is not in the results.

    Parameters
    ----------
    reasons
        Why the quality gate limited or refused photos, and how many of them, most first.
    problems, more
        Photos by name, and how many are not named.
    """

    reasons: tuple[tuple[Said, int], ...]
    problems: tuple[Problem, ...]
    more: int


def method(facts: Facts) -> tuple[Fact, ...]:
    """Return how a survey was made."""
    summary, counts = facts.summary, facts.summary.counts
    kind = say(f"source.{summary.kind}")
    cameras = [_camera(one) for one in facts.equipment] or [say("camera_unknown")]
    return (
        Fact(say("source"), (Said(f"{summary.source} ({kind.id})", kind.en),)),
        Fact(say("camera"), tuple(cameras[:5])),
        Fact(
            say("photos"),
            (
                say(
                    "photos_counts",
                    read=counts.read,
                    units=counts.units,
                    limited=counts.limited,
                    refused=counts.refused,
                    corrupt=counts.corrupt,
                    without=counts.without_position,
                ),
            ),
        ),
        Fact(say("gsd"), (_gsd(summary),)),
        Fact(say("position"), (_position(facts),)),
        Fact(say("aligned"), (_aligned(summary),)),
        Fact(say("inputs"), tuple(_inputs(summary))),
        Fact(say("detector"), (_detector(summary),)),
    )


def left_out(summary: Summary) -> LeftOut:
    """Return what is not in the results, in words."""
    reasons = sorted(summary.quality.items(), key=lambda item: (-item[1], item[0]))
    problems = [
        Problem(
            one.unit,
            say(f"problem.{one.code}") if one.code in _KNOWN else Said(one.code),
            _details(one),
        )
        for one in summary.problems[:MOST_PROBLEMS]
    ]
    return LeftOut(
        tuple((meant(key), n) for key, n in reasons),
        tuple(problems),
        max(len(summary.problems) - MOST_PROBLEMS, 0),
    )


def limits(facts: Facts) -> tuple[Said, ...]:
    """Return what the reader must know before deciding on anything."""
    return (
        say("limit.missed" if facts.summary.weights else "limit.given"),
        *_not_sought(facts),
        say("limit.unmeasured"),
        say("limit.index"),
        say("limit.errors"),
        *_privacy(facts.summary),
    )


def _privacy(summary: Summary) -> tuple[Said, ...]:
    """Return what was done to hide people and what was not, as one paragraph."""
    texts, lead = summary.privacy.texts, say("limit.privacy")
    if not texts["id"]:
        return ()
    words, english = ("; ".join(one.rstrip(".") for one in texts[language]) for language in ("id", "en"))
    return (Said(f"{lead.id} {words}.", f"{lead.en} {english}."),)


def _not_sought(facts: Facts) -> tuple[Said, ...]:
    """Return which classes no detector of this survey knows."""
    if facts.looked_for is None:
        return ()
    missing = [say(f"class.{one.value}") for one in DefectClass if one not in facts.looked_for]
    if not missing:
        return ()
    words, text = (
        say("limit.not_sought"),
        [", ".join(names) for names in zip(*((one.id, one.en) for one in missing), strict=True)],
    )
    return (Said(f"{words.id} {text[0]}.", f"{words.en} {text[1]}."),)


def _details(one: Unmade) -> tuple[Said, ...]:
    if one.code in _REASONED:
        return tuple(meant(key) for key in one.detail.split(", ") if key)
    if one.code == "off_ground":
        return (say("problem_boxes", n=one.detail),)
    if one.code == "roads_far":
        return (say("problem_nearest", km=number(float(one.detail), 1)),)
    return (Said(say("problem_error", error=one.detail.removeprefix(f"{one.unit}: ")).id),)


def _camera(one: Equipment) -> Said:
    name = one.name or say("camera_unknown").id
    focal = "" if one.focal_mm is None else f", f = {number(one.focal_mm, 2)} mm"
    photos = say("camera_photos", n=one.photos)
    size = f"{one.size_px[0]} × {one.size_px[1]} px"
    return Said(f"{name}, {size}{focal}: {photos.id}", photos.en)


def _gsd(summary: Summary) -> Said:
    gsd = summary.gsd_mm
    if gsd is None:
        return say("unknown")
    least, middle, most = (number(value, 1) for value in (gsd.least, gsd.median, gsd.most))
    return say("gsd_text", least=least, median=middle, most=most)


def _position(facts: Facts) -> Said:
    errors = [one.errors.position_m for one in facts.findings if one.errors.position_m is not None]
    if not errors:
        return say("unknown")
    return say("position_text", median=number(median(errors), 2), most=number(max(errors), 2))


def _aligned(summary: Summary) -> Said:
    if summary.residual_m is None:
        return say("aligned_none")
    return say("aligned_text", aligned=summary.aligned, residual=number(summary.residual_m, 3))


def _inputs(summary: Summary) -> list[Said]:
    said = []
    for name in ("ruas", "dem"):
        words, sha = say(f"inputs_{name}"), summary.inputs.get(name)
        if sha is not None:
            said.append(Said(f"{words.id} · {words.en}: SHA-256 {sha}"))
        else:
            none = say("inputs_none")
            said.append(Said(f"{words.id}: {none.id}", f"{words.en}: {none.en}"))
    return said


def _detector(summary: Summary) -> Said:
    return Said(summary.detector) if summary.weights else say("detector_given")
