"""The development station: keys made at run time, used once to provision this run's unit.

In production this is the factory's work (mitral-factory); the group key stays there, and only a derived
key, wrapped for one trust zone, travels.
"""
import base64
import os

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519


def make_station_key(private_path, public_path):
    """An Ed25519 pair: PEM (PKCS #8) for the station, base64 of the raw public key for the unit."""
    key = ed25519.Ed25519PrivateKey.generate()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                            serialization.NoEncryption())
    _write_secret(private_path, pem)
    _write_public(public_path, key)


def use_station_key(given_path, private_path, public_path):
    """The same for a pair that is there."""
    pem = given_path.read_bytes()
    _write_secret(private_path, pem)
    _write_public(public_path, serialization.load_pem_private_key(pem, None))


def _write_public(public_path, key):
    raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    public_path.write_text(base64.b64encode(raw).decode() + "\n", encoding="ascii")
    public_path.chmod(0o644)


def write_group_key(path, key_base64):
    _write_secret(path, key_base64.encode() + b"\n")


def write_subject_key(path, key):
    _write_secret(path, base64.b64encode(key) + b"\n")


def _write_secret(path, data):
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
