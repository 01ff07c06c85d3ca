"""Signed evidence: DSSE envelopes that others read, and every envelope that is not to be believed."""

from __future__ import annotations

import base64
import copy
import json
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import CryptoSigner, SSlibKey

from dialproof.config import Config, Gate
from dialproof.errors import UsageError
from dialproof_deploy.gate.evidence import load_evidence, withdraw_evidence, write_evidence
from dialproof_deploy.gate.signature import KEY, KEY_FILE, PAYLOAD_TYPE, check_signing, opened, pae, signed
from dialproof_deploy.redact import redact
from tests.deploy.keys import OTHER, OURS, private, public

if TYPE_CHECKING:
    from pathlib import Path

STATEMENT: dict[str, Any] = {
    "_type": "https://in-toto.io/Statement/v1",
    "predicateType": "x",
    "subject": [{"name": "é/\udc80.yaml"}],
}
NOT_OURS = "the evidence is not signed by a key of gate.evidenceKeys: run pytest again where"


def config(root: Path, *keys: str) -> Config:
    """Return a configuration with these public keys."""
    return Config(root, gate=Gate(evidenceKeys=keys))


def envelope(key: Any = OURS) -> dict[str, Any]:
    """Return the statement, signed."""
    return copy.deepcopy(dict(signed(STATEMENT, {KEY: private(key)})))


def test_what_is_signed_is_the_encoding_of_the_specification() -> None:
    """The test vector of the DSSE protocol."""
    vector = b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    assert pae("http://example.com/HelloWorld", b"hello world") == vector


def test_others_verify_what_we_sign() -> None:
    """The securesystemslib of the in-toto project finds our signature right, and wrong with another key."""
    ours, other = (
        SSlibKey.from_crypto(key.public_key(), keyid=envelope()["signatures"][0]["keyid"]) for key in (OURS, OTHER)
    )
    read = Envelope.from_dict(envelope())
    assert read.payload_type == "application/vnd.in-toto+json"
    assert json.loads(read.payload) == STATEMENT
    assert list(read.verify([ours], 1)) == [ours.keyid]
    with pytest.raises(VerificationError):
        read.verify([other], 1)


def test_we_verify_what_others_sign(tmp_path: Path) -> None:
    """An envelope of securesystemslib, whose ids of keys are made otherwise, is opened with the public key alone."""
    made = Envelope(json.dumps(STATEMENT).encode(), PAYLOAD_TYPE, {})
    made.sign(CryptoSigner(OURS))
    assert opened(made.to_dict(), config(tmp_path, public())) == (STATEMENT, [])
    assert opened(made.to_dict(), config(tmp_path, public(OTHER)))[1][0].startswith(NOT_OURS)


def test_any_of_several_keys_will_do(tmp_path: Path) -> None:
    """Keys are PEM text or files below the configuration; while one is replaced, the old one and the new one stand."""
    (tmp_path / "ci.pem").write_text(public(), encoding="ascii")
    assert opened(envelope(), config(tmp_path, public(OTHER), "ci.pem")) == (STATEMENT, [])
    both = envelope(OTHER)
    both["signatures"] += envelope()["signatures"]
    assert opened(both, config(tmp_path, "ci.pem")) == (STATEMENT, [])


def test_without_configured_keys_nothing_is_asked_for(tmp_path: Path) -> None:
    """A statement is taken as it is, and an envelope for what it holds."""
    assert signed(STATEMENT, {KEY: " "}) is STATEMENT
    assert opened(STATEMENT, config(tmp_path)) == (STATEMENT, [])
    assert opened(envelope(), config(tmp_path)) == (STATEMENT, [])


def test_with_a_key_unsigned_evidence_is_refused(tmp_path: Path) -> None:
    """The sentence says where to run the tests."""
    [sentence] = opened(STATEMENT, config(tmp_path, public()))[1]
    assert sentence == (
        "the evidence is not signed, and gate.evidenceKeys asks for it: "
        "run pytest again where DIALPROOF_EVIDENCE_KEY is set"
    )


def _other_payload(document: dict[str, Any]) -> None:
    document["payload"] = base64.b64encode(json.dumps({**STATEMENT, "subject": []}).encode()).decode()


def _other_byte(document: dict[str, Any]) -> None:
    sig = bytearray(base64.b64decode(document["signatures"][0]["sig"]))
    sig[0] ^= 1
    document["signatures"][0]["sig"] = base64.b64encode(bytes(sig)).decode()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (_other_payload, NOT_OURS),
        (_other_byte, NOT_OURS),
        (lambda d: d["signatures"][0].update(sig=""), NOT_OURS),
        (lambda d: d.update(signatures=[]), NOT_OURS),
        (lambda d: d.update(signatures=[7]), "the evidence is no DSSE envelope of a statement"),
        (lambda d: d.update(signatures=None), "the evidence is no DSSE envelope of a statement"),
        (lambda d: d.pop("signatures"), "the evidence is no DSSE envelope of a statement"),
        (lambda d: d["signatures"][0].update(sig="not base64!"), "the evidence is no DSSE envelope of a statement"),
        (lambda d: d.update(payload=7), "the evidence is no DSSE envelope of a statement"),
        (lambda d: d.update(payload="bm8="), "the evidence is no DSSE envelope of a statement"),
        (lambda d: d.update(payload="W10="), "the evidence is no DSSE envelope of a statement"),
        (lambda d: d.update(payload="é"), "the evidence is no DSSE envelope of a statement"),
    ],
)
def test_an_envelope_that_was_touched_is_refused(tmp_path: Path, change: Any, sentence: str) -> None:
    """Another payload, another signature, and what has no form: each is a sentence, and gives no statement."""
    document = envelope()
    change(document)
    statement, [reason] = opened(document, config(tmp_path, public()))
    assert reason.startswith(sentence)
    assert statement == {}


def test_the_type_of_the_payload_is_signed_too(tmp_path: Path) -> None:
    """A signature over the same bytes under another type counts for nothing."""
    made = Envelope(json.dumps(STATEMENT).encode(), "application/json", {})
    made.sign(CryptoSigner(OURS))
    [reason] = opened({**made.to_dict(), "payloadType": PAYLOAD_TYPE}, config(tmp_path, public()))[1]
    assert reason.startswith(NOT_OURS)


def test_the_url_safe_alphabet_is_read_as_well(tmp_path: Path) -> None:
    """DSSE leaves a writer the choice."""
    document = envelope()
    for place in (document, document["signatures"][0]):
        name = "payload" if place is document else "sig"
        place[name] = place[name].replace("+", "-").replace("/", "_")
    assert opened(document, config(tmp_path, public())) == (STATEMENT, [])


RSA = generate_private_key(65537, 2048)
LOCKED = OURS.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"pw")).decode()


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({KEY: "s3cret"}, f"{KEY}: this is no Ed25519 private key in PEM"),
        ({KEY: private(RSA)}, f"{KEY}: this is no Ed25519 private key in PEM"),
        ({KEY: public()}, f"{KEY}: this is no Ed25519 private key in PEM"),
        ({KEY: LOCKED}, f"{KEY}: the key is encrypted with a password"),
        ({KEY_FILE: "/nowhere/key"}, f"{KEY_FILE} (/nowhere/key): the key cannot be read: No such file"),
        ({KEY_FILE: "a\0b"}, "the key cannot be read: this is no name of a file"),
        ({KEY: "x", KEY_FILE: "y"}, f"{KEY} and {KEY_FILE} are both set: unset one of them"),
    ],
)
def test_a_private_key_that_cannot_be_used_is_a_sentence(environ: dict[str, str], sentence: str) -> None:
    """It names the variable, and shows nothing of the key."""
    with pytest.raises(UsageError) as caught:
        signed(STATEMENT, environ)
    assert sentence in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_the_key_is_kept_out_of_every_text(tmp_path: Path) -> None:
    """Whatever goes through the redactor afterwards shows neither the key nor a line of it."""
    (tmp_path / "key.pem").write_text(private(), encoding="ascii")
    signed(STATEMENT, {KEY_FILE: str(tmp_path / "key.pem")})
    body = private().splitlines()[1]
    assert body not in redact(f"key: {body}; {private()}")


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("nowhere.pem", "gate.evidenceKeys[0] (nowhere.pem): the key cannot be read: No such file"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "gate.evidenceKeys[0]: this is no Ed25519"),
        (public(RSA), "gate.evidenceKeys[0]: this is no Ed25519 public key in PEM"),
    ],
    ids=["no file", "no key", "another kind"],  # a key that is made anew would be another name in each process
)
def test_a_public_key_that_cannot_be_used_is_a_sentence(tmp_path: Path, written: str, sentence: str) -> None:
    """A deploy must not go on as if no key were asked for."""
    for document in (STATEMENT, envelope()):
        with pytest.raises(UsageError) as caught:
            opened(document, config(tmp_path, written))
        assert str(caught.value).startswith(sentence)


def test_who_cannot_sign_is_told_before_any_test_is_run(tmp_path: Path) -> None:
    """A run that deploys needs the key where one is asked for; without evidenceKeys nothing is needed."""
    with pytest.raises(UsageError, match=r"gate\.evidenceKeys asks for signed evidence: set DIALPROOF_EVIDENCE_KEY"):
        check_signing(config(tmp_path, public()), {})
    check_signing(config(tmp_path, public()), {KEY: private()})
    check_signing(config(tmp_path), {})


def test_signed_evidence_is_written_read_and_withdrawn(tmp_path: Path) -> None:
    """An envelope is evidence as a statement is."""
    file = tmp_path / "evidence.json"
    write_evidence(file, envelope())
    assert opened(load_evidence(file), config(tmp_path, public())) == (STATEMENT, [])
    assert withdraw_evidence(file)
    assert not file.exists()


def test_the_extra_is_asked_for_only_where_it_is_needed(tmp_path: Path) -> None:
    """Without cryptography unsigned evidence works, and a key ends in the sentence that names the extra."""
    code = (
        "import sys; sys.modules['cryptography'] = None\n"
        "from pathlib import Path\n"
        "from dialproof.config import Config, Gate\n"
        "from dialproof_deploy.gate.signature import *\n"
        "root = Path()\n"
        "print(signed({}, {}), opened({}, Config(root)))\n"
        "keys = Config(root, gate=Gate(evidenceKeys=('a',)))\n"
        "for ask in (lambda: signed({}, {KEY: 'x'}), lambda: opened({}, keys)):\n"
        "    try: ask()\n"
        "    except Exception as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    missing = "signed evidence needs the extra 'sign': pip install 'dialproof[sign]'"
    assert done.stdout.splitlines() == ["{} ({}, [])", missing, missing]


def test_configured_keys_are_part_of_what_was_tested_under(tmp_path: Path) -> None:
    """Evidence that was made under another list of keys is evidence of another configuration."""
    from dialproof_deploy.gate.attest import configuration_of
    from dialproof_deploy.gate.evidence import json_digest

    one = config(tmp_path, public())
    other = replace(one, gate=Gate(evidenceKeys=(public(OTHER),)))
    assert json_digest(configuration_of(one)) != json_digest(configuration_of(other))
