"""Outlooks: what was forecast for each post, kept for bulletins, pages and scores."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import delete, desc, select
from sqlalchemy.dialects import postgresql, sqlite

from serayu.models.stores.register.database import Database
from serayu.models.stores.register.schema import forecast as table
from serayu.models.times import US_PER_DAY
from serayu.models.warning.outlook import Outlook

KEEP_US = 400 * US_PER_DAY
_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Outlook)


class ForecastLog(Database):
    """The register's forecasts."""

    def record_forecasts(self, outlooks: Sequence[Outlook]) -> None:
        """Keep outlooks; one of the same post and time replaces the earlier one, and those of over 400 days go."""
        if not outlooks:
            return
        rows = [
            {
                "region": one.region,
                "station": one.station,
                "issued_us": one.issued_us,
                "body": _encoder.encode(one).decode(),
            }
            for one in outlooks
        ]
        newest_us = max(one.issued_us for one in outlooks)
        with self.writing() as connection:
            dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
            fresh = dialect.insert(table)
            upsert = fresh.on_conflict_do_update(
                index_elements=["region", "station", "issued_us"], set_={"body": fresh.excluded.body}
            )
            connection.execute(upsert, rows)
            regions = {one.region for one in outlooks}
            old = table.c.region.in_(regions) & (table.c.issued_us < newest_us - KEEP_US)
            connection.execute(delete(table).where(old))

    def latest_forecast(self, region: str, station: str, *, by_us: int | None = None) -> Outlook | None:
        """Return the newest outlook of a post, issued by a time (microseconds UTC) where one is given."""
        query = select(table.c.body).where(table.c.region == region, table.c.station == station)
        if by_us is not None:
            query = query.where(table.c.issued_us <= by_us)
        with self.reading() as connection:
            body = connection.execute(query.order_by(desc(table.c.issued_us)).limit(1)).scalar()
        return None if body is None else _decoder.decode(body)

    def forecasts(
        self, region: str, station: str, *, since_us: int, until_us: int, limit: int = 1000
    ) -> list[Outlook]:
        """Return the outlooks of a post issued in ``since_us <= t < until_us``, oldest first."""
        query = select(table.c.body).where(
            table.c.region == region,
            table.c.station == station,
            table.c.issued_us >= since_us,
            table.c.issued_us < until_us,
        )
        with self.reading() as connection:
            bodies = connection.execute(query.order_by(table.c.issued_us).limit(limit)).scalars()
            return [_decoder.decode(body) for body in bodies]
