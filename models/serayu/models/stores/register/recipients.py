"""Recipients, their encrypted addresses, and the log of who opted in or out."""

import json
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, RowMapping, delete, insert, select, update

from serayu.models.delivery.phone import e164
from serayu.models.delivery.recipient import (
    Address,
    Channel,
    Consent,
    ConsentAction,
    Gateway,
    Recipient,
)
from serayu.models.errors import BadInputError, ConflictError, NotFoundError
from serayu.models.stores.register.audit import write_audit
from serayu.models.stores.register.database import Database
from serayu.models.stores.register.schema import consent, delivery, gateway, recipient
from serayu.models.stores.register.vault import Vault

NUMBER_SLOT = "{number}"
_COLUMNS = [recipient.c[name] for name in Recipient.__struct_fields__]
_AS_JSON = ("languages", "hazards", "stations", "quiet")
_SYSTEM = "system"


class Recipients(Database):
    """The register's recipients; nothing here returns an address but the methods that are given the vault."""

    def add_recipient(
        self, new: Recipient, address: Address, vault: Vault, *, actor: str = _SYSTEM
    ) -> Recipient:
        """Add a recipient; opting in is a second step.

        Raises
        ------
        ConflictError
            The address is there already, for the same region and channel.
        BadInputError
            A phone number is none.
        """
        target = _canonical(new.channel, address.target)
        row = {
            **_row(new),
            "address": vault.seal(target),
            "secret": None if address.secret is None else vault.seal(address.secret),
            "address_hash": vault.lookup(target),
        }
        with self.writing() as connection:
            if _find(connection, new.region, [row["address_hash"]], channel=new.channel):
                raise ConflictError(f"this address is there already, for channel {new.channel.value}")
            connection.execute(insert(recipient), row)
            _audit(connection, new, actor=actor, action="recipient.add", now_us=new.created_us)
        return new

    def recipients(self, region: str, *, stopped: bool = False) -> list[Recipient]:
        """Return the recipients of a region, oldest first; stopped and erased ones only when asked for."""
        query = select(*_COLUMNS).where(recipient.c.region == region)
        if not stopped:
            query = query.where(recipient.c.stopped_us.is_(None), recipient.c.erased_us.is_(None))
        with self.reading() as connection:
            rows = connection.execute(query.order_by(recipient.c.created_us, recipient.c.id)).mappings()
            return [_recipient(row) for row in rows]

    def recipient(self, recipient_id: str) -> Recipient:
        """Return one recipient.

        Raises
        ------
        NotFoundError
            No recipient of that id.
        """
        with self.reading() as connection:
            return _one(connection, recipient_id)

    def address(self, recipient_id: str, vault: Vault) -> Address | None:
        """Return where a recipient is reached; None for one that was erased.

        Raises
        ------
        NotFoundError
            No recipient of that id.
        BadInputError
            The vault has another key.
        """
        query = select(recipient.c.address, recipient.c.secret).where(recipient.c.id == recipient_id)
        with self.reading() as connection:
            row = connection.execute(query).first()
        if row is None:
            raise NotFoundError(f"there is no recipient {recipient_id!r}")
        if row.address is None:
            return None
        return Address(vault.unseal(row.address), None if row.secret is None else vault.unseal(row.secret))

    def find_recipients(self, region: str, address: str, vault: Vault) -> list[Recipient]:
        """Return the recipients of an address or a phone number in any spelling, stopped ones too."""
        with self.reading() as connection:
            return _find(connection, region, _hashes(address, vault))

    def opt_in(self, recipient_id: str, *, source: str, now_us: int) -> Recipient:
        """Note that somebody wants to be told, by which way; also after a stop.

        Raises
        ------
        NotFoundError, ConflictError
            No recipient of that id; it was erased.
        """
        return self._consent(recipient_id, ConsentAction.IN, source, now_us)

    def opt_out(self, recipient_id: str, *, source: str, now_us: int) -> Recipient:
        """Note that somebody wants to be told no more, by which way; what still waits is dropped.

        Raises
        ------
        NotFoundError, ConflictError
            No recipient of that id; it was erased.
        """
        return self._consent(recipient_id, ConsentAction.OUT, source, now_us)

    def stop_number(self, region: str, number: str, vault: Vault, *, source: str, now_us: int) -> int:
        """Take a BERHENTI from a phone number: every recipient of it stops; return how many did.

        A number that is none of ours is noted all the same, as its keyed hash.

        Raises
        ------
        BadInputError
            Not a phone number.
        """
        hashed = vault.lookup(e164(number))
        with self.writing() as connection:
            found = [one for one in _find(connection, region, [hashed]) if one.stopped_us is None]
            for one in found:
                _set_consent(connection, one, ConsentAction.OUT, source, now_us)
            if not found:
                row = {"region": region, "action": "out", "at_us": now_us, "source": source}
                connection.execute(insert(consent), {**row, "address_hash": hashed})
        return len(found)

    def consents(self, region: str, *, recipient_id: str | None = None) -> list[Consent]:
        """Return the log of opt-ins and opt-outs, oldest first."""
        query = select(*(consent.c[name] for name in Consent.__struct_fields__))
        query = query.where(consent.c.region == region).order_by(consent.c.id)
        if recipient_id is not None:
            query = query.where(consent.c.recipient_id == recipient_id)
        with self.reading() as connection:
            rows = connection.execute(query).mappings()
            return [
                msgspec.convert({name: row[name] for name in Consent.__struct_fields__}, Consent)
                for row in rows
            ]

    def erase_recipient(self, recipient_id: str, *, now_us: int, actor: str = _SYSTEM) -> Recipient:
        """Forget address, name and every trace of the number; the log of deliveries keeps the bare id.

        Raises
        ------
        NotFoundError
            No recipient of that id.
        """
        gone = {"name": "", "address": None, "secret": None, "address_hash": None, "erased_us": now_us}
        with self.writing() as connection:
            found = _one(connection, recipient_id)
            hashed = _hash_of(connection, recipient_id)
            connection.execute(update(recipient).where(recipient.c.id == recipient_id).values(gone))
            _drop_waiting(connection, recipient_id, now_us)
            traces = consent.c.recipient_id == recipient_id
            if hashed is not None:
                traces |= (consent.c.region == found.region) & (consent.c.address_hash == hashed)
            connection.execute(update(consent).where(traces).values(address_hash=None))
            _audit(connection, found, actor=actor, action="recipient.erase", now_us=now_us)
            return _one(connection, recipient_id)

    def forget_number(self, region: str, number: str, vault: Vault) -> int:
        """Take a number that is no recipient's out of the log of consents; return how many entries had it."""
        traces = (consent.c.region == region) & consent.c.address_hash.in_(_hashes(number, vault))
        with self.writing() as connection:
            return connection.execute(update(consent).where(traces).values(address_hash=None)).rowcount

    def delete_consents(self, *, before_us: int) -> int:
        """Delete consents older than a time that no living recipient rests on; return how many."""
        living = select(recipient.c.id).where(
            recipient.c.erased_us.is_(None), recipient.c.stopped_us.is_(None)
        )
        idle = consent.c.recipient_id.is_(None) | consent.c.recipient_id.not_in(living)
        with self.writing() as connection:
            return connection.execute(delete(consent).where(consent.c.at_us < before_us, idle)).rowcount

    def set_gateway(
        self, region: str, channel: Channel, url: str, vault: Vault, *, allow_private: bool = False
    ) -> None:
        """Set the apprise URL by which phone numbers are reached; it holds ``{number}`` and is a secret.

        With *allow_private* it may lie in a private network, as a modem in the same building does.

        Raises
        ------
        BadInputError
            Not a phone channel, or no ``{number}`` in the URL.
        """
        if not channel.is_phone:
            raise BadInputError(f"{channel.value} needs no gateway", field="channel")
        if NUMBER_SLOT not in url:
            raise BadInputError(f"expected {NUMBER_SLOT} where the phone number goes", field="url")
        here = (gateway.c.region == region) & (gateway.c.channel == channel.value)
        with self.writing() as connection:
            connection.execute(delete(gateway).where(here))
            row = {"region": region, "channel": channel.value, "url": vault.seal(url)}
            connection.execute(insert(gateway), {**row, "allow_private": allow_private})

    def gateway(self, region: str, channel: Channel, vault: Vault) -> Gateway | None:
        """Return a phone channel's gateway; None where there is none."""
        query = select(gateway.c.url, gateway.c.allow_private)
        query = query.where(gateway.c.region == region, gateway.c.channel == channel.value)
        with self.reading() as connection:
            row = connection.execute(query).first()
        return None if row is None else Gateway(vault.unseal(row.url), allow_private=row.allow_private)

    def _consent(self, recipient_id: str, action: ConsentAction, source: str, now_us: int) -> Recipient:
        with self.writing() as connection:
            found = _one(connection, recipient_id)
            if found.erased_us is not None:
                raise ConflictError(f"recipient {recipient_id} was erased")
            _set_consent(connection, found, action, source, now_us)
            return _one(connection, recipient_id)


def _set_consent(
    connection: Connection, found: Recipient, action: ConsentAction, source: str, now_us: int
) -> None:
    wants = action is ConsentAction.IN
    fields = {"opted_in_us": now_us, "stopped_us": None} if wants else {"stopped_us": now_us}
    connection.execute(update(recipient).where(recipient.c.id == found.id).values(fields))
    row = {
        "region": found.region,
        "recipient_id": found.id,
        "address_hash": _hash_of(connection, found.id),
        "action": action.value,
        "at_us": now_us,
        "source": source,
    }
    connection.execute(insert(consent), row)
    if not wants:
        _drop_waiting(connection, found.id, now_us)


def _drop_waiting(connection: Connection, recipient_id: str, now_us: int) -> None:
    waiting = (delivery.c.recipient_id == recipient_id) & (delivery.c.state == "queued")
    fields = {"state": "dropped", "reason": "stopped", "ended_us": now_us}
    connection.execute(update(delivery).where(waiting).values(fields))


def _canonical(channel: Channel, target: str) -> str:
    return e164(target) if channel.is_phone else target.strip()


def _hashes(address: str, vault: Vault) -> list[str]:
    """Return the hashes that an address may be stored under: as it stands, and as a phone number."""
    spellings = [address.strip()]
    with suppress(BadInputError):  # a web address or an apprise URL
        spellings.append(e164(address))
    return [vault.lookup(spelling) for spelling in dict.fromkeys(spellings)]


def _find(
    connection: Connection, region: str, hashes: Sequence[Any], *, channel: Channel | None = None
) -> list[Recipient]:
    wanted: list[ColumnElement[bool]] = [recipient.c.region == region, recipient.c.address_hash.in_(hashes)]
    if channel is not None:
        wanted.append(recipient.c.channel == channel.value)
    rows = connection.execute(select(*_COLUMNS).where(*wanted).order_by(recipient.c.created_us))
    return [_recipient(row) for row in rows.mappings()]


def _hash_of(connection: Connection, recipient_id: str) -> str | None:
    query = select(recipient.c.address_hash).where(recipient.c.id == recipient_id)
    return connection.execute(query).scalar()


def _one(connection: Connection, recipient_id: str) -> Recipient:
    query = select(*_COLUMNS).where(recipient.c.id == recipient_id)
    row = connection.execute(query).mappings().first()
    if row is None:
        raise NotFoundError(f"there is no recipient {recipient_id!r}")
    return _recipient(row)


def _row(new: Recipient) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(new)
    lists = {name: None if fields[name] is None else json.dumps(fields[name]) for name in _AS_JSON}
    return {**fields, **lists}


def _recipient(row: RowMapping) -> Recipient:
    lists = {name: None if row[name] is None else json.loads(row[name]) for name in _AS_JSON}
    plain = {name: row[name] for name in Recipient.__struct_fields__ if name not in lists}
    return msgspec.convert({**plain, **lists}, Recipient)


def _audit(connection: Connection, of: Recipient, *, actor: str, action: str, now_us: int) -> None:
    detail = f"{of.audience.value} {of.channel.value}"
    write_audit(connection, of.region, actor=actor, action=action, target=of.id, detail=detail, now_us=now_us)
