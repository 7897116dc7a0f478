"""Other people's systems on 127.0.0.1, each at a port that the system chose: a receiver of requests, an S3-compatible store, a mail server; with TLS or without."""

import asyncio
import datetime as dt
import ipaddress
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

KEY_ID, SECRET, REGION = "AKIATEST", "store-secret", "eu-test-1"


@dataclass
class Received:
    """One request as it arrived; names of headers are in small letters."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """An HTTP server that notes what it is sent and answers what `answer` says: status, body, more headers."""

    url: str = ""
    received: list[Received] = field(default_factory=list)
    answer: Callable[[Received], tuple[int, bytes, dict[str, str]]] = lambda _: (200, b"", {})
    raw: Callable[[Any], None] | None = None


@contextmanager
def http(tls: ssl.SSLContext | None = None, name: str = "127.0.0.1") -> Iterator[Receiver]:
    """A receiver that listens while the block lasts."""
    made = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _take(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            told = Received(
                self.command, self.path, {key.lower(): value for key, value in self.headers.items()}, body
            )
            made.received.append(told)
            if made.raw is not None:
                self.told = told
                made.raw(self)
                return
            status, answer, more = made.answer(told)
            self.send_response(status)
            for key, value in more.items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _take  # noqa: N815 (the names that the base class calls)

        def log_message(self, *_: object) -> None:
            """Nothing: pytest shows what is asserted."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """A client that leaves is no fault here."""

    server = Server(("127.0.0.1", 0), Handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    made.url = f"{'https' if tls else 'http'}://{name}:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def signed(request: Received, url: str, secret: str = SECRET) -> bool:
    """Whether the request bears the AWS signature (version 4) that its sender should have made over exactly this."""
    told = request.headers.get("authorization", "")
    if not told.startswith(f"AWS4-HMAC-SHA256 Credential={KEY_ID}/"):
        return False
    names = told.partition("SignedHeaders=")[2].partition(",")[0].split(";")
    again = AWSRequest(
        request.method,
        url + request.path,
        {name: request.headers[name] for name in names if name != "host"},
        request.body,
    )
    signer = S3SigV4Auth(Credentials(KEY_ID, secret), "s3", REGION)
    again.context["timestamp"] = request.headers["x-amz-date"]
    canonical = signer.canonical_request(again)
    made: str = signer.signature(signer.string_to_sign(again, canonical), again)
    return made == told.partition("Signature=")[2]


@dataclass
class Store:
    """An S3-compatible store: objects by path, each version; refuses a wrong signature as the real ones do."""

    url: str
    objects: dict[str, list[Received]]


@contextmanager
def store() -> Iterator[Store]:
    """A store with the bucket `audit`."""
    with http() as receiver:
        made = Store(f"{receiver.url}/audit/handrail", {})

        def put(request: Received) -> tuple[int, bytes, dict[str, str]]:
            if request.method != "PUT" or not signed(request, receiver.url):
                return (
                    403,
                    b"<?xml version='1.0'?><Error><Code>SignatureDoesNotMatch</Code><Message>no</Message></Error>",
                    {},
                )
            made.objects.setdefault(request.path, []).append(request)
            return 200, b"", {"ETag": '"x"'}

        receiver.answer = put
        yield made


@dataclass
class Mailbox:
    """A mail server: what it took, who signed in, where bounces go, and what it answers to data (250 takes it)."""

    port: int = 0
    messages: list[EmailMessage] = field(default_factory=list)
    senders: list[str | None] = field(default_factory=list)
    bounces: list[str | None] = field(default_factory=list)
    reply: str = "250 taken"

    async def handle_DATA(self, _server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 (the name that aiosmtpd calls)
        """Take the message, or refuse it."""
        if self.reply.startswith("2"):
            self.messages.append(message_from_bytes(envelope.content, policy=policy.default))
            self.bounces.append(envelope.mail_from)
            self.senders.append(session.auth_data.login.decode() if session.auth_data else None)
        return self.reply


@contextmanager
def smtp(
    tls: ssl.SSLContext | None = None, *, at_once: bool = False, password: str = ""
) -> Iterator[Mailbox]:
    """A mail server that listens while the block lasts: with `tls` by STARTTLS or from the first byte, with `password` only for who signs in."""
    box = Mailbox()

    def check(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> Any:
        from aiosmtpd.smtp import AuthResult

        return AuthResult(success=data.password == password.encode(), handled=False, auth_data=data)

    def protocol() -> SMTP:
        starttls = tls if not at_once else None
        return SMTP(
            box,
            tls_context=starttls,
            require_starttls=starttls is not None,
            auth_required=bool(password) and not at_once,
            authenticator=check if password else None,
            auth_require_tls=not at_once,
            loop=loop,
        )

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()  # the thread of a test may have a loop of its own, as the browser's does
    listening = loop.create_server(protocol, "127.0.0.1", 0, ssl=tls if at_once else None)
    server = asyncio.run_coroutine_threadsafe(listening, loop).result(10)
    box.port = server.sockets[0].getsockname()[1]
    try:
        yield box
    finally:

        async def leave() -> None:
            server.close()
            tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(leave(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def certificate(folder: Path, *names: str, days: int = 1) -> tuple[ssl.SSLContext, Path]:
    """A server's context with a certificate for these names and addresses, good for so many days from now, and the file of who issued it."""
    now = dt.datetime.now(dt.UTC)
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "tests")])
    alternatives = [_alternative(name) for name in names]
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=2))
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "certificate.pem"
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret = folder / "key.pem"
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, secret)
    return context, file


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
