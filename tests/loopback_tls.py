"""A server's side of TLS for tests: a certificate for 127.0.0.1 and localhost that signs itself.

Its key is no secret: nothing but these tests trusts it.
"""

from __future__ import annotations

import ssl
from pathlib import Path

CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIIBuDCCAV+gAwIBAgIUGN6e1K8gZNH6iW5t081UwvlYmUUwCgYIKoZIzj0EAwIw
GzEZMBcGA1UEAwwQTG9vcHdyaWdodCB0ZXN0czAgFw0yNjExMjIxMjAxMjhaGA8y
MTI2MTAyOTEyMDEyOFowGzEZMBcGA1UEAwwQTG9vcHdyaWdodCB0ZXN0czBZMBMG
ByqGSM49AgEGCCqGSM49AwEHA0IABHa3ghEvCJv93X1jeIDVwCQ/Csdfy+VwjfQ8
UxgcE5+IeDvGKapPXJzOhDY7M1fWB7FVWb6NmTA7zwo+2+qCJIijfzB9MB0GA1Ud
DgQWBBQPW7QQSEbHX5QiUCZkiaRiD+6EzjAfBgNVHSMEGDAWgBQPW7QQSEbHX5Qi
UCZkiaRiD+6EzjAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwDwYDVR0TAQH/
BAUwAwEB/zAOBgNVHQ8BAf8EBAMCAoQwCgYIKoZIzj0EAwIDRwAwRAIgf0Ui6EXE
BwmXrKp+6apsTnWP0jSYUafIK7MPmm3EAHsCIA7dufzWX7iTeUeeK5lDBd2teniF
+1/Ffnpevmw55FLx
-----END CERTIFICATE-----
"""
KEY = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgf1XwC4l9ZWM2oxV1
p1JhvJepFRkSQk7OIDHFMTJ+hOahRANCAAR2t4IRLwib/d19Y3iA1cAkPwrHX8vl
cI30PFMYHBOfiHg7ximqT1yczoQ2OzNX1gexVVm+jZkwO88KPtvqgiSI
-----END PRIVATE KEY-----
"""


def write_certificate(folder: Path) -> Path:
    """The certificate as a file, for SSL_CERT_FILE."""
    path = folder / "certificate.pem"
    path.write_text(CERTIFICATE, encoding="ascii")
    return path


def server_context(folder: Path) -> ssl.SSLContext:
    both = folder / "both.pem"
    both.write_text(CERTIFICATE + KEY, encoding="ascii")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return context
