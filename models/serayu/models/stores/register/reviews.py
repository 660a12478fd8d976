"""What people say of findings: every word is kept, the last one counts."""

from collections.abc import Collection, Sequence

from sqlalchemy import Column, ColumnElement, Select, desc, func, insert, select

from serayu.models.errors import BadInputError, NotFoundError
from serayu.models.stores.register.audit import write_audit
from serayu.models.stores.register.database import Database
from serayu.models.stores.register.schema import finding, review
from serayu.models.stores.register.surveys import review_of
from serayu.models.survey.finding import DefectClass
from serayu.models.survey.review import Judgement, Review, Tally, Words

__all__ = ["ReviewLog"]

_COLUMNS = (
    review.c.id.label("review_id"),
    review.c.finding_id.label("id"),
    finding.c.survey_id,
    review.c.judgement,
    review.c.label.label("said"),
    review.c.key_id,
    review.c.name,
    review.c.at_us,
)
_both = review.join(finding, (finding.c.region == review.c.region) & (finding.c.id == review.c.finding_id))


class ReviewLog(Database):
    """The register's reviews."""

    def add_review(
        self,
        region: str,
        finding_id: str,
        judgement: Judgement,
        *,
        label: DefectClass | None = None,
        key_id: str,
        name: str,
        now_us: int,
    ) -> Review:
        """Keep what somebody says of a finding; said again right away by the same person it changes nothing.

        Parameters
        ----------
        region, finding_id
            Of which finding.
        judgement
            What is said.
        label
            The right class of a correction; else None.
        key_id, name
            Who.
        now_us
            When, microseconds UTC.

        Raises
        ------
        NotFoundError
            No such finding.
        BadInputError
            A correction without a class or to the class that it has, or a class beside another judgement.
        """
        here = (finding.c.region == region, finding.c.id == finding_id)
        with self.writing() as connection:
            row = connection.execute(select(finding.c.label).where(*here)).first()
            if row is None:
                raise NotFoundError(f"there is no finding {finding_id!r}")
            said = _said(judgement, label, DefectClass(row.label))
            newest = select(*_COLUMNS).select_from(_both).where(*here).order_by(desc(review.c.id)).limit(1)
            last = connection.execute(newest).mappings().first()
            if last is not None and (last["key_id"], last["judgement"], last["said"]) == (
                key_id,
                judgement,
                said,
            ):
                return review_of(last)
            fields = {
                "region": region,
                "finding_id": finding_id,
                "judgement": judgement.value,
                "label": None if said is None else said.value,
                "key_id": key_id,
                "name": name,
                "at_us": now_us,
            }
            connection.execute(insert(review), fields)
            detail = judgement.value if said is None else f"{judgement.value} {said.value}"
            write_audit(
                connection,
                region,
                actor=name,
                action="finding.review",
                target=finding_id,
                detail=detail,
                now_us=now_us,
            )
            return review_of(connection.execute(newest).mappings().one())

    def reviews(
        self, region: str, *, survey_id: str | None = None, findings: Collection[str] | None = None
    ) -> list[Review]:
        """Return reviews, oldest first; of one survey, or of some hundred findings at most, where given."""
        query = select(*_COLUMNS).select_from(_both).where(review.c.region == region).order_by(review.c.id)
        if survey_id is not None:
            query = query.where(finding.c.survey_id == survey_id)
        if findings is not None:
            query = query.where(review.c.finding_id.in_(findings))
        with self.reading() as connection:
            return [review_of(row) for row in connection.execute(query).mappings()]

    def review_tally(self, region: str, survey_id: str | None = None) -> Tally:
        """Return the counts of findings and of what was said of them, of one survey where given."""
        here = [finding.c.region == region]
        if survey_id is not None:
            here.append(finding.c.survey_id == survey_id)
        with self.reading() as connection:
            findings = connection.execute(select(func.count()).select_from(finding).where(*here)).scalar_one()
            last = {
                (DefectClass(row.label), Judgement(row.judgement)): row.n
                for row in connection.execute(_by_class(region, here))
            }
            both: dict[tuple[str, str], dict[Words, int]] = {}
            for row in connection.execute(_by_pair(region, here)):
                both.setdefault((row.one, row.other), {})[_label(row.said), _label(row.replied)] = row.n
            names = {row.key_id: row.name for row in connection.execute(_by_key(here))}
        return Tally(findings, last, both, names)


def _newest(region: str, *of: Column[str]) -> Select[tuple[int]]:
    """Return the numbers of the last reviews of each of something."""
    return select(func.max(review.c.id)).where(review.c.region == region).group_by(*of)


def _by_class(region: str, here: Sequence[ColumnElement[bool]]) -> Select[tuple[str, str, int]]:
    """Return how often which last review was said of findings of which class."""
    last = review.c.id.in_(_newest(region, review.c.finding_id))
    query = select(finding.c.label, review.c.judgement, func.count().label("n")).select_from(_both)
    return query.where(last, *here).group_by(finding.c.label, review.c.judgement)


def _by_pair(region: str, here: Sequence[ColumnElement[bool]]) -> Select[tuple[str, str, str, str, int]]:
    """Return how often which two last words met, of each two people that judged a finding both."""
    last = review.c.id.in_(_newest(region, review.c.finding_id, review.c.key_id))
    said = select(review.c.finding_id, review.c.key_id, review.c.label).select_from(_both).where(last, *here)
    words = said.cte("words")
    one, other = words.alias("one"), words.alias("other")
    meeting = one.join(
        other, (one.c.finding_id == other.c.finding_id) & (one.c.key_id < other.c.key_id)
    )  # each two once
    columns = (
        one.c.key_id.label("one"),
        other.c.key_id.label("other"),
        one.c.label.label("said"),
        other.c.label.label("replied"),
    )
    return select(*columns, func.count().label("n")).select_from(meeting).group_by(*columns)


def _by_key(here: Sequence[ColumnElement[bool]]) -> Select[tuple[str, str]]:
    """Return the name that each key had when it last said something."""
    last = select(func.max(review.c.id)).select_from(_both).where(*here).group_by(review.c.key_id)
    return select(review.c.key_id, review.c.name).where(review.c.id.in_(last))


def _label(said: str | None) -> DefectClass | None:
    return None if said is None else DefectClass(said)


def _said(judgement: Judgement, label: DefectClass | None, detected: DefectClass) -> DefectClass | None:
    """Return what the finding is by a judgement; None for nothing."""
    if judgement is Judgement.CORRECTED:
        if label is None:
            raise BadInputError("a correction needs the right class", field="class")
        if label is detected:
            raise BadInputError("this is the class that it has: confirm it instead", field="class")
        return label
    if label is not None:
        raise BadInputError("only a correction has a class", field="class")
    return detected if judgement is Judgement.CONFIRMED else None
