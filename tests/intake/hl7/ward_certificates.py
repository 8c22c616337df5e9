"""Authorities of wards and certificates of monitors, made while the test runs."""
import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = datetime.timedelta(days=1)


def _name(common_name):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _write(path, key, *certificates):
    path.with_suffix(".key").write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    path.with_suffix(".pem").write_bytes(b"".join(c.public_bytes(serialization.Encoding.PEM) for c in certificates))
    return path


class Authority:
    """A ward's, or the gateway's."""

    def __init__(self, directory, name):
        self.directory, self.name = directory, name
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._build(name, self.key, name, self.key, -1, 3650, authority=True)
        self.path = _write(directory / name.replace(" ", "-"), self.key, self.certificate).with_suffix(".pem")

    @staticmethod
    def _build(name, key, issuer, issuer_key, begin, end, authority=False, dns=True, usage=None):
        now = datetime.datetime.utcnow()
        builder = (x509.CertificateBuilder().subject_name(_name(name)).issuer_name(_name(issuer))
                   .public_key(key.public_key()).serial_number(x509.random_serial_number())
                   .not_valid_before(now + begin * DAY).not_valid_after(now + end * DAY)
                   .add_extension(x509.BasicConstraints(authority, None), critical=True))
        if not authority:
            if dns:
                builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            usages = usage or [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
            builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        return builder.sign(issuer_key, hashes.SHA256())

    def issue(self, name, begin=-1, end=30, **details):
        """Writes NAME.pem and NAME.key; returns their path without the suffix."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._build(name, key, self.name, self.key, begin, end, **details)
        return _write(self.directory / f"{self.name}-{name}-{begin}-{end}".replace(" ", "-").replace(".", "_"),
                      key, certificate)

    @classmethod
    def self_signed(cls, directory, name):
        key = ec.generate_private_key(ec.SECP256R1())
        return _write(directory / "self-signed", key, cls._build(name, key, name, key, -1, 30))
