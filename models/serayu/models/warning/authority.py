"""Who answers for our bulletins: ``authority.toml`` of the region folder.

Weather warnings are BMKG's by law (UU 31/2009) and flood levels BBWS's and BPBD's. Without the signature of such an
authority everything that we send is monitoring information: CAP status Test or Exercise, scope Restricted.
"""

import re
import tomllib
from pathlib import Path

import msgspec

from serayu.models.errors import BadInputError
from serayu.models.texts import text
from serayu.models.warning.bulletin import Bulletin, BulletinStatus

AUTHORITY_FILE = "authority.toml"
BMKG_OID = "2.49.0.1.360.0"
"""BMKG's branch of WMO's register of alerting authorities [alertingauthority.wmo.int]; nobody else's to use."""
WMO_ROOT = "2.49.0.1."

_FORBIDDEN = re.compile(r"[\s,<&]")  # CAP 1.2 section 3.2.1
_MOBILE = re.compile(r"(?<!\d)(?:\+?62|0)[\s.-]?8\d{1,3}(?:[\s.-]?\d{3,5}){2,3}(?!\d)")
_LANDLINE = re.compile(
    r"(?<![\d-])(?:\+62[\s.-]?|\(?0)[2-9]\d{1,2}\)?[\s.-]{1,2}\d{3,4}[\s.-]?\d{3,4}(?![\d-])"
)
REMOVED = "[…]"


class Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What makes an authority's word of ours.

    Parameters
    ----------
    key
        Path of its private key, PEM without password; relative to the region folder.
    certificate
        Path of the certificate, PEM.
    sk
        The decree (surat keputusan) by which the authority lets this system speak for it.
    """

    key: Path
    certificate: Path
    sk: str

    def __post_init__(self) -> None:
        if not self.sk.strip():
            raise ValueError("signature.sk must name the decree of the authority")


class Authority(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who answers for our bulletins.

    Parameters
    ----------
    name, name_en
        For people, Indonesian and English; CAP ``senderName``.
    sender
        CAP ``sender``: an address that the authority controls.
    identifier_prefix
        In front of each bulletin's id in its CAP identifier; unique to the authority, registered with WMO or local.
    contact
        Mail address or web page for questions; never a telephone number, for alerts are public and stay so.
    web
        Page with more, an absolute URL.
    signature
        None: nobody has signed, and nothing is Actual.
    source
        Where all this comes from.
    invented
        True where the project made names and addresses up.
    """

    name: str
    sender: str
    identifier_prefix: str
    name_en: str = ""
    contact: str | None = None
    web: str | None = None
    signature: Signature | None = None
    source: str = ""
    invented: bool = False

    def __post_init__(self) -> None:
        for field in ("name", "sender", "identifier_prefix"):
            if not getattr(self, field).strip():
                raise ValueError(f"{field} must not be empty")
        for field in ("sender", "identifier_prefix"):
            if _FORBIDDEN.search(getattr(self, field)):
                raise ValueError(f"{field} {getattr(self, field)!r} must not have white space, comma, < or &")
        if f"{self.identifier_prefix}.".startswith(f"{BMKG_OID}."):
            raise ValueError(f"identifier_prefix {self.identifier_prefix!r} is BMKG's branch {BMKG_OID}")
        if self.contact is not None and has_phone_number(self.contact):
            raise ValueError("contact must be a mail address or a page, not a telephone number")
        if self.web is not None and re.match(r"https?://[^\s/]", self.web) is None:
            raise ValueError(f"web {self.web!r} must be an absolute http(s) address")

    @property
    def signed(self) -> bool:
        """Whether an authority has signed."""
        return self.signature is not None

    @property
    def signer(self) -> str | None:
        """What `Bulletin.authority` says: the name, or None where nobody has signed."""
        return self.name if self.signed else None

    def status(self, *, rehearsal: BulletinStatus | None = None) -> BulletinStatus:
        """Return the status of a bulletin: Actual only with a signature, else Test.

        Parameters
        ----------
        rehearsal
            EXERCISE or TEST where this is one, whoever has signed.
        """
        if rehearsal is not None and rehearsal is not BulletinStatus.ACTUAL:
            return rehearsal
        return BulletinStatus.ACTUAL if self.signed else BulletinStatus.TEST

    def status_after(self, last: Bulletin | None, status: BulletinStatus) -> BulletinStatus:
        """Return the status of an alert's next bulletin: what began as Actual stays so while the authority signs.

        A drill that begins meanwhile must not hide from the public how a real flood goes on and ends.

        Parameters
        ----------
        last
            The alert's bulletin before; None for its first.
        status
            What it would be by itself: see `status`.
        """
        goes_on = last is not None and last.status is BulletinStatus.ACTUAL and self.signed
        return BulletinStatus.ACTUAL if goes_on else status

    def identifier(self, bulletin_id: str) -> str:
        """Return the CAP identifier of a bulletin; one that has the prefix keeps it."""
        prefix = f"{self.identifier_prefix}."
        return bulletin_id if bulletin_id.startswith(prefix) else prefix + bulletin_id

    def title(self, lang: str = "id") -> str:
        """Return the name in a language."""
        return self.name_en or self.name if lang == "en" else self.name

    def may_send(self, bulletin: Bulletin) -> bool:
        """Whether a bulletin's status is allowed: Actual only with a signature."""
        return self.signed or bulletin.status is not BulletinStatus.ACTUAL


def load_authority(folder: Path) -> Authority:
    """Read the authority of a region folder.

    Parameters
    ----------
    folder
        Region folder. Without ``authority.toml`` nobody has signed, and the addresses are under ``.invalid``, which
        RFC 2606 keeps free for that.

    Raises
    ------
    BadInputError
        The file is wrong, or names a key or certificate that is not there.
    """
    file = folder / AUTHORITY_FILE
    if not file.exists():
        return nobody(folder.name)
    try:
        authority = msgspec.convert(tomllib.loads(file.read_text("utf-8")), Authority, dec_hook=_decode)
    except OSError as error:
        raise BadInputError(error.strerror or str(error), file=file) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInputError(f"not TOML: {error}", file=file) from None
    except (msgspec.ValidationError, ValueError) as error:
        raise BadInputError(str(error), file=file) from None
    if authority.signature is None:
        return authority
    return msgspec.structs.replace(authority, signature=_located(authority.signature, file))


def nobody(region: str) -> Authority:
    """Return the authority of a region for which nobody has signed and nobody has written ``authority.toml``.

    Parameters
    ----------
    region
        Code or folder name, only to tell regions apart.
    """
    slug = re.sub(r"[^a-z0-9.-]+", "-", region.lower()).strip("-.") or "region"
    return Authority(
        name=text("cap.nobody"),
        name_en=text("cap.nobody", "en"),
        sender=f"serayu@{slug}.invalid",
        identifier_prefix=f"invalid.{slug}.serayu",
        source="no authority.toml in the region folder",
        invented=True,
    )


def has_phone_number(words: str) -> bool:
    """Say whether a text holds what looks like an Indonesian telephone number."""
    return without_phone_numbers(words) != words


def without_phone_numbers(words: str) -> str:
    """Return a text with Indonesian telephone numbers taken out, for alerts go everywhere and stay there.

    Mobile numbers (08…, +62 8…) and land lines with their area code; dates, clock times and levels stay.

    Examples
    --------
    >>> without_phone_numbers("Pak Budi 0812-3456-7890, (0281) 123456; 10-01-2026 14.20: 18,25 m")
    'Pak Budi […], […]; 10-01-2026 14.20: 18,25 m'
    """
    return _LANDLINE.sub(REMOVED, _MOBILE.sub(REMOVED, words))


def _decode(kind: type, value: object) -> object:
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise NotImplementedError(f"{kind.__name__} cannot be read")  # how msgspec wants a hook to say so


def _located(signature: Signature, file: Path) -> Signature:
    paths = {name: file.parent / getattr(signature, name) for name in ("key", "certificate")}
    for name, path in paths.items():
        if not path.is_file():
            raise BadInputError(f"no such file: {path}", file=file, field=f"signature.{name}")
    return msgspec.structs.replace(signature, **paths)
