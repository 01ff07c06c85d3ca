"""Keys that sign evidence, as PEM."""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

OURS, OTHER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()


def private(key: Any = OURS) -> str:
    """Return a private key as PEM."""
    return str(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode())


def public(key: Any = OURS) -> str:
    """Return its public key as PEM."""
    return str(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())
