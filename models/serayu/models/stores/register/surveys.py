"""Surveys, their findings, segments and photos: written once as one bundle, never changed, withdrawn as a whole."""

import itertools
from collections.abc import Callable, Collection, Iterable
from typing import Any

import msgspec
import shapely
from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    Table,
    and_,
    desc,
    func,
    insert,
    nulls_last,
    or_,
    select,
)

from serayu.models.errors import ConflictError, NotFoundError
from serayu.models.stores.register.audit import write_audit
from serayu.models.stores.register.database import Database
from serayu.models.stores.register.schema import finding, review, segment, survey, survey_photo
from serayu.models.survey.bundle import Bundle
from serayu.models.survey.entry import BBox, Counted, FindingEntry, Order, SurveyEntry, Wanted
from serayu.models.survey.feature import finding_feature
from serayu.models.survey.finding import DefectClass
from serayu.models.survey.photo import PhotoBoxes
from serayu.models.survey.review import Judgement, Review
from serayu.models.times import parse_rfc3339

__all__ = ["SurveyLog", "review_of"]

_CHUNK = 400  # rows of a statement: PostgreSQL takes 65,535 values, SQLite 32,766
_photos = msgspec.json.Decoder(PhotoBoxes)
_newest = (
    select(review.c.region, review.c.finding_id, func.max(review.c.id).label("last"))
    .group_by(review.c.region, review.c.finding_id)
    .subquery("newest")
)


class SurveyLog(Database):
    """The register's surveys."""

    def add_survey(
        self, region: str, bundle: Bundle, *, by: str, now_us: int, place: Callable[[], None]
    ) -> bool:
        """Keep a survey; the same bundle again changes nothing.

        Parameters
        ----------
        region
            Of which region.
        bundle
            The survey.
        by
            Who publishes it.
        now_us
            When, microseconds UTC.
        place
            Puts the pictures where they belong: called before the rows can be seen.

        Returns
        -------
        bool
            Whether it was new.

        Raises
        ------
        ConflictError
            Another bundle has this survey id, or a finding of another survey has the id of one of these.
        """
        try:
            return self._add(region, bundle, by=by, now_us=now_us, place=place)
        except (
            ConflictError
        ):  # PostgreSQL tells the slower of two publishers so when the faster one has ended
            query = select(survey.c.digest).where(
                survey.c.region == region, survey.c.id == bundle.head.survey
            )
            with self.reading() as connection:
                if connection.execute(query).scalar() == bundle.digest:
                    return False
            raise

    def _add(self, region: str, bundle: Bundle, *, by: str, now_us: int, place: Callable[[], None]) -> bool:
        head = bundle.head
        with self.writing() as connection:
            here = (survey.c.region == region, survey.c.id == head.survey)
            known = connection.execute(select(survey.c.digest).where(*here)).scalar()
            if known == bundle.digest:
                return False
            if known is not None:
                raise ConflictError(
                    f"the survey {head.survey} was published with other contents (sha256 {known[:12]}…, this one "
                    f"{bundle.digest[:12]}…): another survey needs another id"
                )
            _check_ids(connection, region, bundle)
            connection.execute(insert(survey), _survey_row(region, bundle, by=by, now_us=now_us))
            _insert(connection, finding, _finding_rows(region, bundle))
            _insert(connection, segment, _segment_rows(region, bundle))
            _insert(connection, survey_photo, _photo_rows(region, bundle))
            detail = f"{len(bundle.findings)} findings"
            write_audit(
                connection,
                region,
                actor=by,
                action="survey.publish",
                target=head.survey,
                detail=detail,
                now_us=now_us,
            )
            place()
        return True

    def surveys(self, region: str, *, limit: int = 1000) -> list[SurveyEntry]:
        """Return the surveys of a region, the last published first."""
        order = (desc(survey.c.published_us), desc(survey.c.id))
        query = select(survey).where(survey.c.region == region).order_by(*order).limit(limit)
        with self.reading() as connection:
            return [_survey(row) for row in connection.execute(query).mappings()]

    def has_surveys(self, region: str) -> bool:
        """Whether any survey of a region was published."""
        query = select(survey.c.id).where(survey.c.region == region).limit(1)
        with self.reading() as connection:
            return connection.execute(query).first() is not None

    def survey(self, region: str, survey_id: str) -> SurveyEntry:
        """Return one survey.

        Raises
        ------
        NotFoundError
            None of that id.
        """
        query = select(survey).where(survey.c.region == region, survey.c.id == survey_id)
        with self.reading() as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            raise NotFoundError(f"there is no survey {survey_id!r}")
        return _survey(row)

    def findings(
        self,
        region: str,
        wanted: Wanted | None = None,
        *,
        order: Order = Order.NEWEST,
        after: str | None = None,
        skip: int = 0,
        limit: int = 100,
    ) -> Counted:
        """Return a page of findings with their last reviews, and how many there are.

        Parameters
        ----------
        region, wanted
            Which.
        order
            By the time of their photos, the newest first, or the most doubtful first.
        after
            Only in the order of time: id of the last finding of the page before.
        skip, limit
            Pass over so many, return at most so many.
        """
        holds = [finding.c.region == region, *_conditions(finding, wanted or Wanted())]
        count = select(func.count()).select_from(_joined()).where(*holds)
        if after is not None:
            holds.append(finding.c.id < after)
        doubtful = (nulls_last(finding.c.score.asc()), finding.c.id)
        ordered = (
            _entries()
            .where(*holds)
            .order_by(*(doubtful if order is Order.DOUBTFUL else (desc(finding.c.id),)))
        )
        with self.reading() as connection:
            total = connection.execute(count).scalar_one()
            rows = connection.execute(ordered.offset(skip).limit(limit)).mappings()
            return Counted([_entry(row) for row in rows], total)

    def finding(self, region: str, finding_id: str) -> FindingEntry:
        """Return one finding with its last review.

        Raises
        ------
        NotFoundError
            None of that id.
        """
        query = _entries().where(finding.c.region == region, finding.c.id == finding_id)
        with self.reading() as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            raise NotFoundError(f"there is no finding {finding_id!r}")
        return _entry(row)

    def finding_labels(self, region: str, survey_id: str | None = None) -> dict[str, DefectClass]:
        """Return what the detector called each finding, by id."""
        query = select(finding.c.id, finding.c.label).where(finding.c.region == region)
        if survey_id is not None:
            query = query.where(finding.c.survey_id == survey_id)
        with self.reading() as connection:
            return {row.id: DefectClass(row.label) for row in connection.execute(query)}

    def segments(
        self, region: str, wanted: Wanted | None = None, *, after: int | None = None, limit: int = 100
    ) -> list[tuple[int, dict[str, Any]]]:
        """Return the features of segments with their numbers, the last published first.

        Parameters
        ----------
        region, wanted
            Which; class, score and review are those of findings and are not asked.
        after
            Number of the last segment of the page before.
        limit
            At most so many.
        """
        query = select(segment.c.id, segment.c.body).where(
            segment.c.region == region, *_places(segment, wanted or Wanted())
        )
        if after is not None:
            query = query.where(segment.c.id < after)
        with self.reading() as connection:
            rows = connection.execute(query.order_by(desc(segment.c.id)).limit(limit))
            return [(row.id, msgspec.json.decode(row.body)) for row in rows]

    def survey_photos(
        self, region: str, survey_id: str | None = None, *, names: Collection[str] | None = None
    ) -> list[tuple[str, PhotoBoxes]]:
        """Return photos, or those of some names, and their boxes, each with its survey, in the order of both."""
        query = select(survey_photo.c.survey_id, survey_photo.c.body).where(survey_photo.c.region == region)
        if survey_id is not None:
            query = query.where(survey_photo.c.survey_id == survey_id)
        if names is not None:
            query = query.where(survey_photo.c.photo.in_(names))
        with self.reading() as connection:
            rows = connection.execute(query.order_by(survey_photo.c.survey_id, survey_photo.c.photo))
            return [(row.survey_id, _photos.decode(row.body)) for row in rows]


def review_of(row: RowMapping) -> Review:
    """Return the review of a row that has its columns and the finding's `survey_id`."""
    return Review(
        id=row["review_id"],
        finding=row["id"],
        survey=row["survey_id"],
        judgement=Judgement(row["judgement"]),
        label=None if row["said"] is None else DefectClass(row["said"]),
        by=row["key_id"],
        name=row["name"],
        at_us=row["at_us"],
    )


def _joined() -> Any:  # noqa: ANN401 -- SQLAlchemy's Join is generic in no useful way
    return finding.outerjoin(
        _newest, and_(_newest.c.region == finding.c.region, _newest.c.finding_id == finding.c.id)
    ).outerjoin(review, review.c.id == _newest.c.last)


def _entries() -> Select[Any]:
    said = (review.c.judgement, review.c.label.label("said"), review.c.key_id, review.c.name, review.c.at_us)
    own = (
        finding.c.id,
        finding.c.survey_id,
        finding.c.label,
        finding.c.score,
        finding.c.picture,
        finding.c.body,
    )
    return select(*own, review.c.id.label("review_id"), *said).select_from(_joined())


def _conditions(table: Table, wanted: Wanted) -> list[ColumnElement[bool]]:
    holds = _places(table, wanted)
    if wanted.label is not None:
        holds.append(table.c.label == wanted.label.value)
    if wanted.score is not None:
        holds.append(or_(table.c.score.is_(None), table.c.score >= wanted.score))
    if wanted.reviewed is not None:
        holds.append(_newest.c.last.is_not(None) if wanted.reviewed else _newest.c.last.is_(None))
    return holds


def _places(table: Table, wanted: Wanted) -> list[ColumnElement[bool]]:
    holds: list[ColumnElement[bool]] = []
    if wanted.survey is not None:
        holds.append(table.c.survey_id == wanted.survey)
    if wanted.ruas is not None:
        holds.append(table.c.ruas == wanted.ruas)
    if wanted.bbox is not None:
        west, south, east, north = wanted.bbox
        holds += [table.c.west <= east, table.c.east >= west, table.c.south <= north, table.c.north >= south]
    return holds


def _check_ids(connection: Connection, region: str, bundle: Bundle) -> None:
    for group in _chunks([one.id for one in bundle.findings]):
        query = select(finding.c.id, finding.c.survey_id).where(
            finding.c.region == region, finding.c.id.in_(group)
        )
        other = connection.execute(query.limit(1)).first()
        if other is not None:
            raise ConflictError(f"the finding {other.id} belongs to the survey {other.survey_id}")


def _insert(connection: Connection, table: Table, rows: Iterable[dict[str, Any]]) -> None:
    for group in _chunks(rows):
        connection.execute(insert(table), group)


def _chunks(rows: Iterable[Any]) -> Iterable[list[Any]]:
    source = iter(rows)
    while group := list(itertools.islice(source, _CHUNK)):
        yield group


def _survey_row(region: str, bundle: Bundle, *, by: str, now_us: int) -> dict[str, Any]:
    head = bundle.head
    return {
        "region": region,
        "id": head.survey,
        "digest": bundle.digest,
        "source": head.source,
        "kind": head.kind,
        "detector": head.detector,
        "first_us": None if head.first is None else parse_rfc3339(head.first),
        "last_us": None if head.last is None else parse_rfc3339(head.last),
        "findings": len(bundle.findings),
        "segments": len(bundle.segments),
        "pictures": len(bundle.crops),
        "published_us": now_us,
        "published_by": by,
        "document": bundle.document.decode(),
    }


def _finding_rows(region: str, bundle: Bundle) -> Iterable[dict[str, Any]]:
    for one in bundle.findings:
        yield {
            "region": region,
            "id": one.id,
            "survey_id": one.survey,
            "label": one.label.value,
            "score": one.score,
            "ruas": one.ruas,
            **_bounds(one.geometry),
            "picture": one.id in bundle.crops,
            "body": msgspec.json.encode(finding_feature(one)).decode(),
        }


def _segment_rows(region: str, bundle: Bundle) -> Iterable[dict[str, Any]]:
    for one, feature in bundle.segments:
        yield {
            "region": region,
            "survey_id": one.survey,
            "ruas": one.ruas,
            "km_from": one.km_from,
            **_bounds(feature["geometry"]),
            "body": msgspec.json.encode(feature).decode(),
        }


def _photo_rows(region: str, bundle: Bundle) -> Iterable[dict[str, Any]]:
    for one in bundle.photos:
        body = msgspec.json.encode(one).decode()
        yield {"region": region, "survey_id": bundle.head.survey, "photo": one.photo, "body": body}


def _bounds(geometry: dict[str, Any]) -> dict[str, float]:
    bounds: BBox = shapely.geometry.shape(geometry).bounds
    return dict(zip(("west", "south", "east", "north"), map(float, bounds), strict=True))


def _survey(row: RowMapping) -> SurveyEntry:
    return SurveyEntry(**{name: row[name] for name in SurveyEntry.__struct_fields__})


def _entry(row: RowMapping) -> FindingEntry:
    said = None if row["review_id"] is None else review_of(row)
    label = DefectClass(row["label"])
    feature = msgspec.json.decode(row["body"])
    return FindingEntry(row["id"], row["survey_id"], label, row["score"], row["picture"], feature, said)
