"""Who signs: nobody as long as there is no key, certificate and decree; then verifiably."""

import datetime as dt
from pathlib import Path

import pytest
from capvalidator import check_signature
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

from serayu.models.cap.check import check_cap
from serayu.models.cap.read import read_cap
from serayu.models.cap.sign import BadSignatureError, verify_cap
from serayu.models.cap.write import cap_xml
from serayu.models.errors import BadInputError
from serayu.models.warning.authority import (
    Authority,
    load_authority,
    without_phone_numbers,
)
from serayu.models.warning.bulletin import BulletinStatus
from tests.models.cap.generated import bulletin

BANYUMAS = Path(__file__).parents[3] / "regions" / "banyumas"
PLAIN = 'name = "BPBD Uji"\nsender = "bpbd@uji.invalid"\nidentifier_prefix = "id.uji"\n'
SIGNED = (
    PLAIN + '[signature]\nkey = "kunci.pem"\ncertificate = "sertifikat.pem"\nsk = "SK 1/2026 (dibuat-buat)"\n'
)
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def write_pair(folder: Path, key: PrivateKey, *, key_name: str = "kunci.pem") -> str:
    """Write a key and its self-signed certificate; return the certificate."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "BPBD Uji")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=365))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / key_name).write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    text = certificate.public_bytes(pem).decode()
    (folder / "sertifikat.pem").write_text(text)
    return text


@pytest.fixture(name="keys", scope="module")
def _keys() -> dict[str, PrivateKey]:
    return {"rsa": rsa.generate_private_key(65537, 2048), "ec": ec.generate_private_key(ec.SECP256R1())}


def folder_with(tmp_path: Path, text: str) -> Path:
    (tmp_path / "authority.toml").write_text(text)
    return tmp_path


def test_in_banyumas_nobody_has_signed_and_all_is_invented() -> None:
    authority = load_authority(BANYUMAS)
    assert (authority.signed, authority.signer, authority.invented) == (False, None, True)
    assert authority.status() is BulletinStatus.TEST
    assert authority.sender.endswith(".invalid")
    assert not authority.identifier("x").startswith("2.49.0.1.360.0")


def test_without_a_file_nobody_has_signed(tmp_path: Path) -> None:
    authority = load_authority(tmp_path)
    assert (authority.signed, authority.status()) == (False, BulletinStatus.TEST)
    assert authority.sender.endswith(".invalid")
    assert check_cap(cap_xml(bulletin(1), authority)).valid


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("name = ", "not TOML"),
        (PLAIN.replace("BPBD Uji", " "), "name must not be empty"),
        (PLAIN.replace("id.uji", "id uji"), "must not have white space"),
        (PLAIN.replace("id.uji", "2.49.0.1.360.0"), "BMKG"),
        (PLAIN.replace("id.uji", "2.49.0.1.360.0.33"), "BMKG"),
        (PLAIN.replace("bpbd@uji.invalid", "bpbd,uji"), "must not have white space"),
        (PLAIN + 'contact = "0281-123456"\n', "not a telephone number"),
        (PLAIN + 'web = "uji.invalid"\n', "absolute"),
        (PLAIN + "telepon = 1\n", "telepon"),
        (SIGNED, "no such file"),
        (SIGNED.replace('"SK 1/2026 (dibuat-buat)"', '" "'), "decree"),
        (SIGNED.replace('sk = "SK 1/2026 (dibuat-buat)"\n', ""), "sk"),
    ],
)
def test_a_wrong_file_is_named_with_the_reason(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(BadInputError, match=reason) as caught:
        load_authority(folder_with(tmp_path, text))
    assert "authority.toml" in str(caught.value)


def test_another_branch_of_the_register_may_be_used(tmp_path: Path) -> None:
    authority = load_authority(folder_with(tmp_path, PLAIN.replace("id.uji", "2.49.0.1.360.01")))
    assert authority.identifier("a") == "2.49.0.1.360.01.a"
    assert authority.identifier("2.49.0.1.360.01.a") == "2.49.0.1.360.01.a"


@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_a_signed_alert_is_actual_public_and_verifiable(
    tmp_path: Path, keys: dict[str, PrivateKey], kind: str
) -> None:
    certificate = write_pair(tmp_path, keys[kind])
    authority = load_authority(folder_with(tmp_path, SIGNED))
    assert (authority.status(), authority.signer) == (BulletinStatus.ACTUAL, "BPBD Uji")
    assert authority.status(rehearsal=BulletinStatus.EXERCISE) is BulletinStatus.EXERCISE
    data = cap_xml(bulletin(7, status=BulletinStatus.ACTUAL), authority)
    report = check_cap(data)
    assert (report.valid, report.problems, report.alerts[0].signed) == (True, (), True)
    alert = verify_cap(data, certificate=certificate)
    assert (alert.status, alert.scope, alert.restriction) == ("Actual", "Public", None)
    assert alert == read_cap(data)
    assert check_signature(data).passed


def test_a_changed_alert_another_certificate_and_no_signature_do_not_verify(
    tmp_path: Path, keys: dict[str, PrivateKey]
) -> None:
    certificate = write_pair(tmp_path, keys["rsa"])
    data = cap_xml(bulletin(7, status=BulletinStatus.ACTUAL), load_authority(folder_with(tmp_path, SIGNED)))
    with pytest.raises(BadSignatureError, match="does not hold"):
        verify_cap(data.replace(b"<language>en", b"<language>de"), certificate=certificate)
    other = write_pair(tmp_path, rsa.generate_private_key(65537, 2048), key_name="lain.pem")
    with pytest.raises(BadSignatureError, match="does not hold"):
        verify_cap(data, certificate=other)
    unsigned = cap_xml(bulletin(7, status=BulletinStatus.TEST), load_authority(BANYUMAS))
    with pytest.raises(BadSignatureError, match="no signature"):
        verify_cap(unsigned, certificate=certificate)
    # The certificate beside the key is another's now: nothing is sent that nobody could verify.
    with pytest.raises(BadInputError, match="not that of the key"):
        cap_xml(bulletin(7, status=BulletinStatus.ACTUAL), load_authority(tmp_path))


def test_a_key_that_is_none_is_named(tmp_path: Path, keys: dict[str, PrivateKey]) -> None:
    write_pair(tmp_path, keys["ec"])
    (tmp_path / "kunci.pem").write_text("bukan kunci")
    authority = load_authority(folder_with(tmp_path, SIGNED))
    with pytest.raises(BadInputError, match=r"kunci\.pem"):
        cap_xml(bulletin(7, status=BulletinStatus.ACTUAL), authority)
    pem = serialization.Encoding.PEM
    other = ed25519.Ed25519PrivateKey.generate()
    (tmp_path / "kunci.pem").write_bytes(
        other.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    with pytest.raises(BadInputError, match="RSA or elliptic curve"):
        cap_xml(bulletin(7, status=BulletinStatus.ACTUAL), authority)


@pytest.mark.parametrize(
    "number",
    [
        "081234567890",
        "0812-3456-7890",
        "+62 812 3456 7890",
        "+6281234567890",
        "62812.3456.7890",
        "(0281) 123456",
        "0281-1234567",
        "0281 123 4567",
        "+62 281 123456",
    ],
)
def test_a_telephone_number_is_taken_out(number: str) -> None:
    assert without_phone_numbers(f"hubungi {number}, segera") == "hubungi […], segera"
    with pytest.raises(ValueError, match="telephone"):
        Authority(name="a", sender="b", identifier_prefix="c", contact=number)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "10-01-2026 14.20 WIB",
        "2026-01-10T14:20:00+07:00",
        "18,25 m; 1.838 cm",
        "33.02.12.2001",
        "ruas 081 km 0+200",
        "019ba6c0-0000-7000-8000-000000000001",
        "RT 03 RW 02",
        "2.49.0.1.360.0.2026.02.16.16.45.005",
    ],
)
def test_what_is_no_telephone_number_stays(text: str) -> None:
    assert without_phone_numbers(text) == text
