"""The same promises over TLS, where a read may leave decrypted bytes behind and a write may want to be repeated."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from brokers.connector import Backoff
from brokers.errors import NotReached
from brokers.streams import StreamLoop
from tests.brokers.scripted import SocketServer, frame, until
from tests.brokers.test_streams import Ear, connect, out


def make_certificate(folder: Path) -> Path:
    """A certificate for 127.0.0.1 that signs itself, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "venue.pem"
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return make_certificate(tmp_path)


@pytest.fixture
def server(certificate: Path) -> Iterator[SocketServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = SocketServer(context)
    yield server
    server.close()


@pytest.fixture
def loop() -> Iterator[StreamLoop]:
    loop = StreamLoop(backoff=Backoff(first=0.01, most=0.05))
    loop.start()
    yield loop
    loop.stop()


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))


@pytest.mark.usefixtures("trusted")
def test_messages_of_every_size_arrive_over_tls(server: SocketServer, loop: StreamLoop) -> None:
    ear, peer = connect(loop, server)
    sizes = [1, 125, 126, 16_384, 65_536, 262_144, 262_145, 1_500_000]
    peer.send_raw(b"".join(frame(b"x" * size) for size in sizes))
    until(lambda: len(ear.texts) == len(sizes))
    assert [len(text) for text in ear.texts] == sizes
    for byte in frame("dripping"):
        peer.send_raw(bytes([byte]))
    until(lambda: ear.texts[-1] == b"dripping")


@pytest.mark.usefixtures("trusted")
def test_a_full_tls_socket_sends_the_rest_in_order(server: SocketServer, loop: StreamLoop) -> None:
    ear, peer = connect(loop, server)
    size = 3_000_000
    loop.submit([out(ear, letter * size, letter) for letter in "abc"])
    assert [peer.receive() for _ in range(3)] == [letter * size for letter in "abc"]
    until(lambda: ear.written == ["a", "b", "c"])


@pytest.mark.usefixtures("trusted")
def test_a_tls_frame_that_was_begun_is_no_proof_of_not_sent(server: SocketServer, loop: StreamLoop) -> None:
    ear, peer = connect(loop, server)
    loop.submit([out(ear, "x" * 20_000_000, "begun"), out(ear, "order", "untouched")])
    assert peer.sock.recv(1000)
    peer.reset()
    until(lambda: ear.closings)
    assert (ear.written, ear.unsent) == (["begun"], ["untouched"])


def test_a_venue_whose_certificate_nobody_vouches_for_is_not_spoken_to(server: SocketServer, loop: StreamLoop) -> None:
    ear = Ear(server.url)
    loop.add(ear.stream)
    until(lambda: ear.failures)
    assert isinstance(ear.failures[0], NotReached)
    assert server.upgrades == 0
