"""Signed evidence: the statement in a DSSE envelope, with an Ed25519 signature over its pre-authentication encoding.

See https://github.com/secure-systems-lab/dsse. The run that tests signs where an environment variable gives the key; a
deploy asks for a signature where ``gate.evidenceKeys`` names public keys. The id of a key is the SHA-256 of its
SubjectPublicKeyInfo; it says which key to look for, and nothing rests on it.
"""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dialproof.errors import UsageError
from dialproof_deploy.redact import register_secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

    from dialproof.config import Config

__all__ = ["KEY", "KEY_FILE", "PAYLOAD_TYPE", "check_signing", "is_envelope", "opened", "pae", "signed"]

PAYLOAD_TYPE = "application/vnd.in-toto+json"
KEY = "DIALPROOF_EVIDENCE_KEY"
"""The variable with the private key, as PEM text."""
KEY_FILE = "DIALPROOF_EVIDENCE_KEY_FILE"
"""The variable that names a file with it instead."""

_PEM = "-----BEGIN "
_AGAIN = "run pytest again"


def pae(payload_type: str, payload: bytes) -> bytes:
    """Return what is signed: the pre-authentication encoding of a payload and its type."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def is_envelope(document: Mapping[str, Any]) -> bool:
    """Tell whether a document says that it is an envelope of an in-toto statement."""
    return document.get("payloadType") == PAYLOAD_TYPE


def signed(statement: Mapping[str, Any], environ: Mapping[str, str]) -> Mapping[str, Any]:
    """Return the statement in an envelope, signed with the key that the environment gives; as it is where none is.

    Raises ``UsageError`` for a key that cannot be used.
    """
    key = _private_key(environ)
    if key is None:
        return statement
    payload = json.dumps(statement, separators=(",", ":")).encode("ascii")
    signature = key.sign(pae(PAYLOAD_TYPE, payload))
    return {
        "payloadType": PAYLOAD_TYPE,
        "payload": base64.b64encode(payload).decode(),
        "signatures": [{"keyid": _key_id(key.public_key()), "sig": base64.b64encode(signature).decode()}],
    }


def opened(document: Mapping[str, Any], config: Config) -> tuple[Mapping[str, Any], list[str]]:
    """Return the statement of a document, and why it must not be believed: empty, or one sentence.

    Without ``gate.evidenceKeys`` a signature is not looked at. Raises ``UsageError`` for a key that cannot be used.
    """
    keys = [_public_key(config, number) for number in range(len(config.gate.evidenceKeys))]
    if not is_envelope(document):
        why = f"the evidence is not signed, and gate.evidenceKeys asks for it: run pytest again where {KEY} is set"
        return document, [why] if keys else []
    try:
        payload = _decoded(document["payload"])
        signatures = [_decoded(signature["sig"]) for signature in document["signatures"]]
        statement = json.loads(payload)
        if not isinstance(statement, dict):
            raise TypeError
    except (KeyError, TypeError, ValueError, RecursionError):
        return {}, [f"the evidence is no DSSE envelope of a statement: {_AGAIN}"]
    if keys and not any(_verifies(key, signature, payload) for key in keys for signature in signatures):
        return {}, [f"the evidence is not signed by a key of gate.evidenceKeys: {_AGAIN} where {KEY} is that key"]
    return statement, []


def check_signing(config: Config, environ: Mapping[str, str]) -> None:
    """Raise ``UsageError`` where a deploy from this environment would ask for a signature that it cannot give."""
    for number in range(len(config.gate.evidenceKeys)):
        _public_key(config, number)
    if _private_key(environ) is None and config.gate.evidenceKeys:
        raise UsageError(f"gate.evidenceKeys asks for signed evidence: set {KEY} or {KEY_FILE}")


def _decoded(text: object) -> bytes:
    """Return the bytes of Base64, standard or URL-safe: a reader of envelopes accepts both."""
    if not isinstance(text, str):
        raise TypeError
    return base64.b64decode(text.translate(str.maketrans("-_", "+/")), validate=True)


def _verifies(key: Ed25519PublicKey, signature: bytes, payload: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature

    try:
        key.verify(signature, pae(PAYLOAD_TYPE, payload))
    except InvalidSignature:
        return False
    return True


def _key_id(key: Ed25519PublicKey) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def _public_key(config: Config, number: int) -> Ed25519PublicKey:
    """Return a key of ``gate.evidenceKeys``: PEM text, or a file with it relative to the configuration."""
    _need_cryptography()
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    written, where = config.gate.evidenceKeys[number], f"gate.evidenceKeys[{number}]"
    if written.lstrip().startswith(_PEM):
        data = written.strip().encode()
    else:
        where = f"{where} ({written})"
        data = _read(config.root / written, where)
    try:
        key = load_pem_public_key(data)
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise UsageError(f"{where}: this is no Ed25519 public key in PEM")
    return key


def _private_key(environ: Mapping[str, str]) -> Ed25519PrivateKey | None:
    """Return the key that the environment gives; no message shows anything of it."""
    text, file = environ.get(KEY, ""), environ.get(KEY_FILE, "")
    if not text.strip() and not file.strip():
        return None
    if text.strip() and file.strip():
        raise UsageError(f"{KEY} and {KEY_FILE} are both set: unset one of them")
    _need_cryptography()
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    where = KEY if text.strip() else f"{KEY_FILE} ({file})"
    data = text.strip().encode() if text.strip() else _read(Path(file), where)
    for line in (data.decode("utf-8", "replace"), *data.decode("utf-8", "replace").splitlines()):
        if line.strip() and not line.startswith("-----"):
            register_secret(line.strip())
    try:
        key = load_pem_private_key(data, password=None)
    except TypeError:
        raise UsageError(f"{where}: the key is encrypted with a password, which nobody could type here") from None
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError(f"{where}: this is no Ed25519 private key in PEM")
    return key


def _read(path: Path, where: str) -> bytes:
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "this is no name of a file"
        raise UsageError(f"{where}: the key cannot be read: {reason}") from None


def _need_cryptography() -> None:
    try:
        import cryptography  # noqa: F401
    except ImportError:
        raise UsageError("signed evidence needs the extra 'sign': pip install 'dialproof[sign]'") from None
