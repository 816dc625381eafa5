"""Certificates made on the spot, by the openssl program: authorities, and servers' certificates that they sign."""
import datetime
import os
import subprocess

CA_SETTINGS = """
[ca]
default_ca = own
[own]
database = {folder}/index.txt
serial = {folder}/serial
new_certs_dir = {folder}
default_md = sha256
policy = any
unique_subject = no
copy_extensions = copy
[any]
commonName = supplied
"""


def openssl(*arguments):
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


class Authority:
    """`ca` is the file of its certificate."""

    def __init__(self, folder, name):
        self.folder, self.ca = os.path.join(str(folder), name), os.path.join(str(folder), name, "ca.pem")
        os.makedirs(self.folder)
        self._write("index.txt", "")
        self._write("serial", "01\n")
        self._write("ca.cnf", CA_SETTINGS.format(folder=self.folder))
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", self._path("ca-key.pem"), "-out", self.ca,
                "-days", "2", "-subj", f"/CN={name}")

    def _path(self, name):
        return os.path.join(self.folder, name)

    def _write(self, name, text):
        with open(self._path(name), "w", encoding="utf-8") as file:
            file.write(text)

    def issue(self, name, host="localhost", days=1):
        """(certificate, key) as PEM files, for a host; with `days` below 0 it has expired."""
        key, request, certificate = (self._path(f"{name}{end}") for end in ("-key.pem", ".csr", ".pem"))
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", request, "-subj", f"/CN={host}",
                "-addext", f"subjectAltName=DNS:{host}")
        now = datetime.datetime.now(datetime.timezone.utc)
        start, end = (f"{now + datetime.timedelta(days=d):%y%m%d%H%M%SZ}" for d in (min(days, 0) - 1, days))
        openssl("ca", "-batch", "-notext", "-config", self._path("ca.cnf"), "-cert", self.ca, "-keyfile",
                self._path("ca-key.pem"), "-in", request, "-out", certificate, "-startdate", start, "-enddate", end)
        return certificate, key
