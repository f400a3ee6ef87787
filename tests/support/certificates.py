# SPDX-License-Identifier: Apache-2.0
"""Certificates for tests, made by openssl: CAs, servers signed by them, and the pins of their keys."""

import hashlib
import pathlib
import subprocess


def _openssl(*words):
    return subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, timeout=60).stdout


_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


class Authority:
    """A CA with its files in `folder`."""

    def __init__(self, folder, name):
        self.folder, self.name = pathlib.Path(folder), name
        self.cert, self.key = self.folder / f"{name}-ca.pem", self.folder / f"{name}-ca.key"
        _openssl("req", "-x509", *_NEW_KEY, "-days", 2, "-subj", f"/CN=Test CA {name}", "-keyout", self.key,
                 "-out", self.cert)

    @property
    def pem(self):
        return self.cert.read_bytes()

    def sign(self, cert, key, alternative_name):
        """A server's certificate and key in these two files, for `DNS:name` or `IP:address`."""
        request, extension = self.folder / "server.csr", self.folder / "server.ext"
        _openssl("req", "-new", *_NEW_KEY, "-subj", "/CN=server", "-keyout", key, "-out", request)
        extension.write_text(f"subjectAltName={alternative_name}\n")
        _openssl("x509", "-req", "-in", request, "-CA", self.cert, "-CAkey", self.key, "-CAcreateserial", "-days", 2,
                 "-extfile", extension, "-out", cert)


def pin_of(cert):
    """SHA-256 of the SubjectPublicKeyInfo (RFC 7469 2.4), in hex."""
    public = _openssl("x509", "-in", cert, "-pubkey", "-noout")
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=public, check=True, capture_output=True,
                         timeout=60).stdout
    return hashlib.sha256(der).hexdigest()
