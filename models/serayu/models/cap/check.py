"""Judging a document: whether it is an alert or a feed of alerts, safe to read, and valid CAP 1.2.

Every alert that leaves us passes here, and everybody else's can: ``serayu cap check FILE…``.
"""

import enum
from itertools import islice

import msgspec

from serayu.models.cap.feed_rules import feed_problems
from serayu.models.cap.problems import CapProblem, ProblemSeverity
from serayu.models.cap.read import DSIG, OTHER, alert_elements, children, kind_of, path_of
from serayu.models.cap.rules import alert_problems
from serayu.models.cap.safe import (
    DOCTYPE_REFUSED,
    MAX_BYTES,
    Element,
    XmlRefusedError,
    name_of,
    parse_xml,
    text_of,
)
from serayu.models.cap.schema import schema_errors
from serayu.models.cap.structs import CAP_12, NAMESPACES

MAX_PROBLEMS = 100  # of one document; more are not listed
ALERT_KIND = "cap-1.2"
NOT_XML, UNREADABLE = "not-xml", "unreadable"


class Verdict(enum.StrEnum):
    """What a document is worth."""

    VALID = "valid"
    INVALID = "invalid"
    MALICIOUS = "malicious"
    NOT_AN_ALERT = "not_an_alert"


class AlertSummary(msgspec.Struct, frozen=True):
    """One alert of a document.

    Parameters
    ----------
    path
        Where it stands.
    version
        Of CAP.
    identifier, sender, sent, status, msg_type
        As it says; None where it does not.
    xsd_valid
        Whether the CAP 1.2 schema holds.
    valid
        Whether it is valid CAP 1.2: the schema and every rule that the schema does not check.
    signed
        Whether it carries an XML signature; that is not verified here, as nobody's certificate is known.
    """

    path: str
    version: str
    identifier: str | None
    sender: str | None
    sent: str | None
    status: str | None
    msg_type: str | None
    xsd_valid: bool
    valid: bool
    signed: bool


class CapReport(msgspec.Struct, frozen=True):
    """What was found out about a document.

    Parameters
    ----------
    kind
        ``cap-1.2``, ``cap-1.1``, ``cap-1.0``, ``atom``, ``rss``, ``edxl-de``, ``other`` (XML of another kind),
        ``not-xml`` or ``unreadable`` (refused before its kind was known).
    verdict
        See there.
    valid
        True for valid CAP 1.2, and for a feed that is right as a feed and whose CAP 1.2 alerts, if it embeds any, are
        valid.
    xsd_valid
        Whether the document is CAP 1.2 by the schema; None for a feed.
    malicious
        Whether it tries what no alert needs; it was not read then.
    problems
        Errors first, at most `MAX_PROBLEMS`.
    alerts
        The alerts in it.
    """

    kind: str
    verdict: Verdict
    valid: bool
    xsd_valid: bool | None
    malicious: bool
    problems: tuple[CapProblem, ...] = ()
    alerts: tuple[AlertSummary, ...] = ()

    @property
    def errors(self) -> tuple[CapProblem, ...]:
        """Problems that make it invalid."""
        return tuple(one for one in self.problems if one.severity is ProblemSeverity.ERROR)


def check_cap(data: bytes, *, max_bytes: int = MAX_BYTES) -> CapReport:
    """Judge a document.

    Parameters
    ----------
    data
        The document; nothing that it points to is fetched.
    max_bytes
        Size from which on it is not read.

    Returns
    -------
    CapReport
        Always; whatever the bytes are, nothing is raised.
    """
    try:
        root = parse_xml(data, max_bytes=max_bytes)
    except XmlRefusedError as refused:
        return _refused(refused)
    kind = kind_of(root)
    if kind == OTHER:
        namespace, name = name_of(root)
        problem = CapProblem(
            "not_an_alert",
            f"<{name}> of {namespace or 'no namespace'} is neither CAP nor a feed",
            path_of(root),
        )
        return CapReport(
            kind, Verdict.NOT_AN_ALERT, valid=False, xsd_valid=False, malicious=False, problems=(problem,)
        )
    return _alert_report(root, kind) if kind.startswith("cap-") else _feed_report(root, kind)


def _refused(refused: XmlRefusedError) -> CapReport:
    problem = CapProblem(refused.code, refused.reason.partition(": ")[2])
    kind, verdict = UNREADABLE, Verdict.INVALID
    if refused.malicious:
        verdict = Verdict.MALICIOUS
    elif refused.code == "not_xml":
        kind, verdict = NOT_XML, Verdict.NOT_AN_ALERT
    elif refused.code == DOCTYPE_REFUSED:
        kind, verdict = OTHER, Verdict.NOT_AN_ALERT
    return CapReport(
        kind, verdict, valid=False, xsd_valid=False, malicious=refused.malicious, problems=(problem,)
    )


def _alert_report(root: Element, kind: str) -> CapReport:
    summary, problems = _judge(root, wrong_version=ProblemSeverity.ERROR)
    verdict = Verdict.VALID if summary.valid else Verdict.INVALID
    return CapReport(
        kind,
        verdict,
        summary.valid,
        summary.xsd_valid,
        malicious=False,
        problems=_sorted(problems),
        alerts=(summary,),
    )


def _feed_report(root: Element, kind: str) -> CapReport:
    """Judge a feed; alerts of an older CAP in it do not make it a bad feed, but their own errors do."""
    problems = list(islice(feed_problems(root, kind), MAX_PROBLEMS))
    alerts = []
    for element in alert_elements(root):
        summary, found = _judge(element, wrong_version=ProblemSeverity.WARNING)
        alerts.append(summary)
        problems += found
    valid = not any(one.severity is ProblemSeverity.ERROR for one in problems)
    verdict = Verdict.VALID if valid else Verdict.INVALID
    return CapReport(
        kind,
        verdict,
        valid,
        xsd_valid=None,
        malicious=False,
        problems=_sorted(problems),
        alerts=tuple(alerts),
    )


def _judge(alert: Element, *, wrong_version: ProblemSeverity) -> tuple[AlertSummary, list[CapProblem]]:
    namespace = name_of(alert)[0]
    problems: list[CapProblem] = []
    if namespace == CAP_12:
        lines = schema_errors(alert)
        problems += [CapProblem("schema", line, path_of(alert)) for line in lines]
        xsd_valid = not lines
    else:
        xsd_valid = False
        version = NAMESPACES[namespace]
        problems.append(CapProblem("wrong_version", f"CAP {version}, not 1.2", path_of(alert), wrong_version))
    problems += islice(alert_problems(alert), MAX_PROBLEMS)
    valid = xsd_valid and not any(one.severity is ProblemSeverity.ERROR for one in problems)
    return _summary(alert, xsd_valid=xsd_valid, valid=valid), problems


def _summary(alert: Element, *, xsd_valid: bool, valid: bool) -> AlertSummary:
    def first(name: str) -> str | None:
        found = next(children(alert, name), None)
        return None if found is None else text_of(found).strip() or None

    return AlertSummary(
        path=path_of(alert),
        version=NAMESPACES[name_of(alert)[0]],
        identifier=first("identifier"),
        sender=first("sender"),
        sent=first("sent"),
        status=first("status"),
        msg_type=first("msgType"),
        xsd_valid=xsd_valid,
        valid=valid,
        signed=alert.find(f"{{{DSIG}}}Signature") is not None,
    )


def _sorted(problems: list[CapProblem]) -> tuple[CapProblem, ...]:
    """Return errors before warnings, each in the order in which they were found."""
    ranked = sorted(problems, key=lambda one: one.severity is ProblemSeverity.WARNING)
    return tuple(ranked[:MAX_PROBLEMS])
