"""Signature version 4 of requests to S3-compatible stores. Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote, unquote, urlsplit


@dataclass(frozen=True, slots=True)
class Key:
    """Who signs, and the region of the store."""

    id: str
    secret: str = field(repr=False)
    region: str


def signed(
    method: str, url: str, headers: Mapping[str, str], body: bytes, key: Key, at: datetime
) -> dict[str, str]:
    """Return the headers with those that authorise this request at this moment. The address has no query."""
    parts, moment = urlsplit(url), f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    digest = hashlib.sha256(body).hexdigest()
    sent = {**headers, "X-Amz-Date": moment, "X-Amz-Content-SHA256": digest}
    port = f":{parts.port}" if parts.port not in (None, {"https": 443, "http": 80}[parts.scheme]) else ""
    host = f"{parts.hostname}{port}"
    named = sorted((name.lower(), " ".join(value.split())) for name, value in {**sent, "host": host}.items())
    names = ";".join(name for name, _ in named)
    path = quote(unquote(parts.path), safe="/~") or "/"
    request = "\n".join([method, path, "", *(f"{name}:{value}" for name, value in named), "", names, digest])
    scope = f"{moment[:8]}/{key.region}/s3/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    mac = f"AWS4{key.secret}".encode()
    for part in (*scope.split("/"), text):
        mac = hmac.digest(mac, part.encode(), "sha256")
    return sent | {
        "Authorization": f"AWS4-HMAC-SHA256 Credential={key.id}/{scope}, SignedHeaders={names}, Signature={mac.hex()}"
    }
