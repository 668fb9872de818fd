"""certs-set APP CRT KEY: serve an app with a certificate and its key, two files (0.38).

Fired by: plugins. As `certs:add`, but never from stdin.
"""

from lib.app import apps, certs
from lib.base.errors import DokkuError
from lib.source import cert_files


def put(app: str = "", certificate: str = "", key: str = "", *_: str) -> None:
    apps.verify_app_name(app)
    for path, which in ((certificate, "CRT"), (key, "KEY")):
        if not path:
            raise DokkuError(f"{which} file specified not found, please check file paths")
    certs.put(app, *cert_files.given(certificate, key))


HANDLERS = {"certs": put}
