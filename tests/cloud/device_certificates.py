"""Certificates that devices show, made while a test runs: authorities, certificates under them, self-signed ones."""
import dataclasses
import datetime
import pathlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclasses.dataclass
class Certificate:
    """`file`: the certificate, what is to be sent beside it, and the key, as ssl.load_cert_chain() wants them."""
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    file: str
    pem: str
    key_pem: str
    beside: tuple = ()

    def thumbprint(self, algorithm):
        return self.certificate.fingerprint(algorithm()).hex()


class Certificates:
    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.made = 0

    def authority(self, name, issuer=None):
        return self._make(name, issuer, authority=True)

    def device(self, name, issuer=None, days=(-1, 30), beside=()):
        """Signs itself without an issuer; the certificates of `beside` are sent with it."""
        return self._make(name, issuer, days=days, beside=beside)

    def _make(self, name, issuer, authority=False, days=(-1, 30), beside=()):
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.datetime.utcnow()
        made = (x509.CertificateBuilder().subject_name(subject)
                .issuer_name(issuer.certificate.subject if issuer else subject)
                .public_key(key.public_key()).serial_number(x509.random_serial_number())
                .not_valid_before(now + datetime.timedelta(days=days[0]))
                .not_valid_after(now + datetime.timedelta(days=days[1]))
                .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
                .sign(issuer.key if issuer else key, hashes.SHA256()))
        pem = made.public_bytes(serialization.Encoding.PEM).decode()
        key_pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                    serialization.NoEncryption()).decode()
        self.made += 1
        file = self.directory / f"{self.made}.pem"
        file.write_text(pem + "".join(other.pem for other in beside) + key_pem)
        return Certificate(made, key, str(file), pem, key_pem, tuple(beside))
