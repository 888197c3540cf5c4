"""Network settings of the environment that no library here can use: they are set aside, and it is said.

Nothing of the program needs a proxy, but Gradio and the hub's client make HTTP clients when they are imported, and
those refuse what they find: a SOCKS proxy without its driver, a list of exceptions they cannot parse, a certificate
file that is gone.
"""

from __future__ import annotations

import logging
import os

from text2earth_core.errors import reason_of

log = logging.getLogger("text2earth")

_PROXIES = ("all_proxy", "http_proxy", "https_proxy", "no_proxy")
_CERTIFICATES = ("ssl_cert_file", "ssl_cert_dir")


def set_unusable_aside() -> None:
    """Take proxies, then certificates, out of this process's environment where no HTTP client can be made of them."""
    for names in (_PROXIES, _CERTIFICATES):
        reason = _refusal()
        if reason is None:
            return
        found = [name for name in os.environ if name.lower() in names]
        for name in found:
            del os.environ[name]
        if found:
            log.warning("The network settings %s cannot be used (%s) and are ignored.", ", ".join(found), reason)


def _refusal() -> str | None:
    import httpx

    try:
        httpx.Client().close()
    except Exception as error:  # of many kinds, from the parser of addresses to OpenSSL
        return reason_of(error)
    return None
