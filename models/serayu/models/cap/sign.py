"""Signing our alerts and verifying others': enveloped XML signatures (CAP 1.2 section 3.3.2.1, W3C xmldsig)."""

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, SignatureConstructionMethod, SignatureMethod
from signxml.exceptions import SignXMLException
from signxml.signer import XMLSigner
from signxml.verifier import XMLVerifier

from serayu.models.cap.read import DSIG, alert_of
from serayu.models.cap.safe import MAX_BYTES, Element, parse_xml
from serayu.models.cap.structs import CapAlert
from serayu.models.errors import BadInputError
from serayu.models.warning.authority import Signature


class BadSignatureError(BadInputError):
    """An alert without a signature, or with one that does not hold."""


def signed(alert: Element, signature: Signature) -> bytes:
    """Return an alert with an enveloped signature, which the schema allows as its last child.

    Parameters
    ----------
    alert
        The ``alert`` element, as it will be sent.
    signature
        Key (RSA or elliptic curve) and certificate.

    Raises
    ------
    BadInputError
        Key or certificate cannot be read, or do not belong together.
    """
    try:
        key_pem = signature.key.read_bytes()
        certificate_pem = signature.certificate.read_text("ascii")
        key = load_pem_private_key(key_pem, password=None)
    except OSError as error:
        raise BadInputError(error.strerror or str(error), file=error.filename) from None
    except (ValueError, TypeError) as error:
        raise BadInputError(f"not a PEM key or certificate: {error}", file=signature.key) from None
    if isinstance(key, rsa.RSAPrivateKey):
        algorithm = SignatureMethod.RSA_SHA256
    elif isinstance(key, ec.EllipticCurvePrivateKey):
        algorithm = SignatureMethod.ECDSA_SHA256
    else:
        raise BadInputError("the key must be RSA or elliptic curve", file=signature.key)
    signer = XMLSigner(
        method=SignatureConstructionMethod.enveloped,
        signature_algorithm=algorithm,
        c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )
    data: bytes = etree.tostring(
        signer.sign(alert, key=key, cert=certificate_pem), xml_declaration=True, encoding="UTF-8"
    )
    try:
        verify_cap(data, certificate=certificate_pem)
    except BadSignatureError:
        raise BadInputError("the certificate is not that of the key", file=signature.certificate) from None
    return data


def verify_cap(data: bytes, *, certificate: str, max_bytes: int = MAX_BYTES) -> CapAlert:
    """Verify an alert's signature and return what was signed, which is all that may be believed.

    Parameters
    ----------
    data
        The alert.
    certificate
        The certificate that must have signed, PEM; the one in the alert is not trusted.
    max_bytes
        Size from which on it is not read.

    Raises
    ------
    BadSignatureError
        No signature, another's, or the alert was changed since.
    XmlRefusedError
        Not safe to read, or no alert.
    """
    root = parse_xml(data, max_bytes=max_bytes)
    if root.find(f"{{{DSIG}}}Signature") is None:
        raise BadSignatureError("the alert has no signature")
    try:
        found = XMLVerifier().verify(root, x509_cert=certificate)
    except (SignXMLException, UnsupportedAlgorithm, etree.LxmlError, ValueError) as error:
        raise BadSignatureError(f"the signature does not hold: {error}") from None
    one = found[0] if isinstance(found, list) else found
    if one.signed_xml is None or one.signed_xml.tag != root.tag:
        raise BadSignatureError("the signature is not over the whole alert")
    return msgspec.structs.replace(alert_of(one.signed_xml), signed=True)  # it was taken off to be verified
