"""The agent's key and self-signed certificate, made once; its SHA-256 is the agent's identity."""

import datetime
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from common.errors import StoreError
from common.infra.paths import write_private_file
from common.security.pairing import agent_id_of

_KEY_FILE = "tls-key.pem"
_CERTIFICATE_FILE = "tls-certificate.pem"
_YEARS = 10
_NAME = "Flotilla agent"


@dataclass(frozen=True, slots=True)
class AgentIdentity:
    """Who this agent is to every desktop."""

    agent_id: str
    key_file: Path
    certificate_file: Path

    def server_context(self) -> ssl.SSLContext:
        """Return the TLS settings of the door: 1.3 where the library has it."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = (
            ssl.TLSVersion.TLSv1_3 if ssl.HAS_TLSv1_3 else ssl.TLSVersion.TLSv1_2
        )
        context.load_cert_chain(self.certificate_file, self.key_file)
        return context


def load_identity(folder: Path) -> AgentIdentity:
    """Return the identity in `folder`; make it where there is none yet.

    Raises StoreError where only one half of it is there.
    """
    key_file, certificate_file = folder / _KEY_FILE, folder / _CERTIFICATE_FILE
    if not key_file.exists() and not certificate_file.exists():
        _make(key_file, certificate_file)
    try:
        certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
        key_file.stat()
    except (OSError, ValueError) as problem:
        raise StoreError(
            f"The agent's key and certificate in {folder} do not make a pair.",
            subject=str(folder),
            advice=f"Restore {_KEY_FILE} and {_CERTIFICATE_FILE}; or delete both, and pair again.",
        ) from problem
    der = certificate.public_bytes(serialization.Encoding.DER)
    return AgentIdentity(agent_id_of(der), key_file, certificate_file)


def _make(key_file: Path, certificate_file: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _self_signed(key, datetime.datetime.now(datetime.UTC))
    write_private_file(
        key_file,
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )
    write_private_file(certificate_file, certificate.public_bytes(serialization.Encoding.PEM))


def _self_signed(key: ec.EllipticCurvePrivateKey, now: datetime.datetime) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _NAME)])
    # Python 3.13 checks strictly: a trusted certificate needs these extensions.
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=365 * _YEARS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False
        )
        .add_extension(
            x509.SubjectAlternativeName(
                [
                    x509.DNSName("localhost"),
                    x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
                ]
            ),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )


def _key_usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
