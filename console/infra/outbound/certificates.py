"""Why a certificate was not believed, and what to do, for whoever reads why nothing left."""

import ssl

UNKNOWN = "it is from an authority that this machine does not know; add that one to the file which SSL_CERT_FILE names"
OTHER_NAME = "it is for another name; use the name that it was issued for"
WORDS = {
    9: "it is not valid yet; see whether the clocks of both machines are right",
    10: "it has expired; who runs that server has to renew it",
    18: "it vouches for itself (self-signed); if that is meant, add it to the file which SSL_CERT_FILE names",
    19: UNKNOWN,
    20: UNKNOWN,
    21: "its server does not send the whole chain, or an authority vouches for it that this machine does not know; SSL_CERT_FILE names a file of such",
    23: "it was revoked; who runs that server has to get another one",
    62: OTHER_NAME,
    64: OTHER_NAME,
}
"""Number of OpenSSL → what it means. Source: https://docs.openssl.org/master/man3/X509_STORE_CTX_get_error/."""


def refusal(error: ssl.SSLError) -> str:
    """A few words, without anything that the other side wrote: of its certificate, or of TLS that it does not speak."""
    if not isinstance(error, ssl.SSLCertVerificationError):
        return "it does not speak TLS as it should"
    return f"its certificate does not fit: {WORDS.get(error.verify_code) or error.verify_message.rstrip('.')}"
