"""Judges what Device Update gives to a device, as an agent would, with none of our signer's code: JWS, root-key package
and manifest by hand, RSA by python3-cryptography."""
import base64
import hashlib
import json

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa


class Refused(Exception):
    pass


def unpadded(text):
    if "=" in text or "+" in text or "/" in text:
        raise Refused("not base64url")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def public_key(modulus, exponent=65537):
    return rsa.RSAPublicNumbers(exponent, int.from_bytes(unpadded(modulus), "big")).public_key()


def rs256(key, message, signature):
    try:
        key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        raise Refused("signature") from None


def open_jws(text):
    """Header, payload, signed text, signature."""
    parts = text.split(".")
    if len(parts) != 3:
        raise Refused("no JWS")
    header = json.loads(unpadded(parts[0]))
    if header.get("alg") != "RS256":
        raise Refused("algorithm")
    return header, json.loads(unpadded(parts[1])), f"{parts[0]}.{parts[1]}".encode(), unpadded(parts[2])


def key_hash(key):
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.urlsafe_b64encode(hashlib.sha256(der).digest()).decode().rstrip("=")


class Verifier:
    """`roots` are those that the device was built with: {"kid": {"n": …}}."""

    def __init__(self, roots):
        self.roots = {kid: public_key(root["n"], root["e"]) for kid, root in roots.items()}
        self.disabled_roots, self.disabled_keys, self.version = set(), set(), 0

    def take_package(self, text):
        """The signatures go over the text of "protected", and each built-in root must have a good one."""
        package = json.loads(text)
        protected = package["protected"]
        signed = json.dumps(protected, separators=(",", ":")).encode()
        for kid, key in self.roots.items():
            place = list(protected["rootKeys"]).index(kid) if kid in protected["rootKeys"] else -1
            if place < 0 or place >= len(package["signatures"]):
                raise Refused("no signature of " + kid)
            signature = package["signatures"][place]
            if signature["alg"] != "RS256":
                raise Refused("algorithm")
            rs256(key, signed, unpadded(signature["sig"]))
        if protected["version"] < self.version:
            raise Refused("an older package")
        self.version = protected["version"]
        self.roots.update({kid: public_key(root["n"], root["e"]) for kid, root in protected["rootKeys"].items()})
        self.disabled_roots = set(protected["disabledRootKeys"])
        self.disabled_keys = {entry["hash"] for entry in protected["disabledSigningKeys"]}

    def manifest(self, service):
        """The manifest of a desired `service`, once everything about it is right."""
        header, payload, signed, signature = open_jws(service["updateManifestSignature"])
        inner_header, jwk, inner_signed, inner_signature = open_jws(header["sjwk"])
        kid = inner_header["kid"]
        if kid not in self.roots or kid in self.disabled_roots:
            raise Refused("root " + kid)
        rs256(self.roots[kid], inner_signed, inner_signature)
        key = public_key(jwk["n"], int.from_bytes(unpadded(jwk["e"]), "big"))
        if key_hash(key) in self.disabled_keys:
            raise Refused("signing key")
        rs256(key, signed, signature)
        digest = base64.b64encode(hashlib.sha256(service["updateManifest"].encode()).digest()).decode()
        if payload["sha256"] != digest:
            raise Refused("manifest")
        return json.loads(service["updateManifest"])


def check_file(described, content):
    if len(content) != described["sizeInBytes"]:
        raise Refused("size")
    if base64.b64encode(hashlib.sha256(content).digest()).decode() != described["hashes"]["sha256"]:
        raise Refused("hash")
