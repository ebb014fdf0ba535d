# SPDX-License-Identifier: MIT
import shutil
import ssl
import subprocess
import urllib.error
import urllib.request

import pytest

from practice import PracticeOrg


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl makes the certificate")
def test_https(tmp_path):
    certificate, key = str(tmp_path / "cert.pem"), str(tmp_path / "key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
                   check=True, capture_output=True)
    with PracticeOrg(tls=(certificate, key)) as org:
        assert org.url.startswith("https://127.0.0.1:") and org.log_in()
        trusting = ssl.create_default_context(cafile=certificate)
        with urllib.request.urlopen(org.url + "/services/data/", context=trusting) as reply:
            assert reply.status == 200
        with pytest.raises(urllib.error.URLError):
            urllib.request.urlopen(org.url + "/services/data/")
        assert len(org.ids("Account", 3)) == 3
