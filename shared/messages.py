"""Messages to people, by Apprise, for whom the extra `notify` is installed: which URLs it understands.

Apprise knows over a hundred services, and some of its URLs run programs, read files or do without TLS.
`nightshift.words.webhooks.SCHEMES` names those that may be used at all; here is what is asked of one besides.
Apprise is imported when it is needed, not with the module: it is large, and not everybody has it.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from nightshift.words.error_codes import Code
from nightshift.words.errors import Conflict
from nightshift.words.webhooks import malformed

if TYPE_CHECKING:
    from apprise.plugins.base import NotifyBase

_FILES = frozenset({"template", "pgp", "pgpkey", "pgppub", "pgpprv", "keyfile", "attach"})
"""Parameters of URLs that name files of this machine, or write such."""


def understood(url: str) -> NotifyBase:
    """What sends messages there; nothing is sent, nor looked up.

    Args:
        url: of one of the schemes that may be used.

    Raises:
        Conflict: `messages_not_installed`.
        InvalidInput: `notify_url_malformed`, without the URL.
    """
    try:
        import apprise
    except ImportError as error:
        message = "messages to people need Apprise: pip install 'nightshift-photos[notify]'"
        raise Conflict(Code.MESSAGES_NOT_INSTALLED, message) from error
    # What it says of a URL it does not understand has the URL's secrets in it.
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    try:
        asked = {name.lower() for name, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True)}
        # Under our name, and with no picture from a site of somebody else's.
        asset = apprise.AppriseAsset(app_id="Nightshift", app_desc="Nightshift", image_url_mask="")
        found = apprise.Apprise.instantiate(url, asset=asset)
    except Exception:
        # Nor is it said what it broke at.
        raise malformed(url) from None
    is_safe = found is not None and found.verify_certificate and _is_by_tls(found)
    if found is None or not is_safe or asked & _FILES:
        raise malformed(url)
    found.redirects = False
    return found


def _is_by_tls(found: NotifyBase) -> bool:
    return str(getattr(found, "secure_mode", "")) != "insecure"
