"""An authority of a test's own, and certificates that it signs for the loopback address."""

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat


@dataclass(frozen=True, slots=True)
class Authority:
    """Whom clients trust: `certificate` is a PEM file."""

    certificate: Path
    _name: x509.Name
    _key: ec.EllipticCurvePrivateKey

    def certify(self, file: Path) -> Path:
        """A PEM file with a new private key and its certificate for 127.0.0.1."""
        key = ec.generate_private_key(ec.SECP256R1())
        address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        signed = (
            _builder(_name("broker"), self._name, key)
            .add_extension(address, critical=False)
            .sign(self._key, hashes.SHA256())
        )
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        file.touch(mode=0o600)
        file.write_bytes(secret + signed.public_bytes(Encoding.PEM))
        return file


def make_authority(directory: Path, name: str) -> Authority:
    """A new authority, its certificate in `NAME.pem`."""
    key = ec.generate_private_key(ec.SECP256R1())
    called = _name(name)
    own = (
        _builder(called, called, key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate = directory / f"{name}.pem"
    certificate.write_bytes(own.public_bytes(Encoding.PEM))
    return Authority(certificate, called, key)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common)])


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
    )
