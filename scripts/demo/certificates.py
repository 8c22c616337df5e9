"""A certificate authority for one run, made with openssl; its keys never leave the run's scratch directory."""
import subprocess

from processes import StartFailed

CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


class Authority:
    def __init__(self, directory, name):
        self._directory, self._name = directory, name
        self._openssl("req", "-x509", *CURVE, "-keyout", f"{name}.key", "-out", f"{name}.pem", "-days", "2",
                      "-subj", f"/CN={name} authority")

    def issue(self, name, server=False):
        """name.pem and name.key, for the DNS name `name`."""
        self._openssl("req", *CURVE, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        (self._directory / f"{name}.ext").write_text(
            f"subjectAltName=DNS:{name}\nextendedKeyUsage={'serverAuth' if server else 'clientAuth'}\n"
            "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n", encoding="ascii")
        self._openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{self._name}.pem", "-CAkey", f"{self._name}.key",
                      "-CAcreateserial", "-days", "2", "-extfile", f"{name}.ext", "-out", f"{name}.pem")

    def _openssl(self, *arguments):
        done = subprocess.run(["openssl", *arguments], cwd=self._directory, capture_output=True, text=True,
                              check=False, timeout=30)
        if done.returncode != 0:
            raise StartFailed(f"openssl {arguments[0]}: {done.stderr.strip()}")
