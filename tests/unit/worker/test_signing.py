"""Deliveries are signed by Standard Webhooks 1.0."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from shared.queue.dispatch import Parcel
from worker.sending import headers_of

# The vector of the standard's reference libraries.
SECRET = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID, AT, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, '{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def _parcel(*secrets: str) -> Parcel:
    return Parcel(ID, 1, "local", "job.ended", None, "https://example.org/", BODY, secrets)


def test_the_vector_of_the_standard() -> None:
    headers = headers_of(_parcel(SECRET, f"whsec_{SECRET}"), datetime.fromtimestamp(AT, UTC))
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == (ID, str(AT))
    assert headers["webhook-signature"] == f"{SIGNATURE} {SIGNATURE}"
    digest = hmac.new(base64.b64decode(SECRET), f"{ID}.{AT}.{BODY}".encode(), hashlib.sha256).digest()
    assert "v1," + base64.b64encode(digest).decode() == SIGNATURE


def test_receivers_find_their_secret_among_several() -> None:
    old, new, other = (base64.b64encode(letter * 32).decode() for letter in (b"o", b"n", b"x"))
    headers = headers_of(_parcel(new, old), datetime.now(UTC))
    for secret in (old, new):
        assert Webhook(secret).verify(BODY, headers) == {"test": 2432232314}
    with pytest.raises(WebhookVerificationError):
        Webhook(other).verify(BODY, headers)
