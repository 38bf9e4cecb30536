"""One attempt at a webhook: signed, to an address that was looked up once and is allowed, in bounded time."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import anyio
import certifi
import httpx
from standardwebhooks import Webhook

from nightshift.words.clock import utc_now
from nightshift.words.retry_after import retry_after_s
from nightshift.words.version import VERSION
from shared.addresses import Network, may_be_spoken_to
from shared.queue.dispatch import GONE, LONGEST_WISHED, Answered, Parcel

ATTEMPT_S = 15.0
"""For all of it after the name is looked up."""
CONNECT_S = 5.0
"""For one address of several: then it is the next one's turn."""
ANSWER_BYTES = 4096
"""Read of an answer; the rest is left."""
SHOWN_CHARACTERS = 500

_LONGEST_WISHED_S = LONGEST_WISHED.total_seconds()


def certificates() -> ssl.SSLContext:
    """Whose certificates are good: those of certifi, and of the system or, where it is set, SSL_CERT_FILE."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def headers_of(parcel: Parcel, now: datetime) -> dict[str, str]:
    """Headers by Standard Webhooks 1.0: one signature a secret, the newest first.

    Args:
        parcel: what is sent.
        now: aware, UTC; when this attempt is made.
    """
    signatures = [Webhook(secret).sign(parcel.id, now, parcel.body) for secret in parcel.secrets]
    return {
        "webhook-id": parcel.id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
        "content-type": "application/json",
        "user-agent": f"Nightshift/{VERSION}",
        # What is packed would be larger than it looks.
        "accept-encoding": "identity",
        **({"traceparent": parcel.traceparent} if parcel.traceparent else {}),
    }


def send(parcel: Parcel, allowed: Sequence[Network], context: ssl.SSLContext) -> Answered:
    """Send it, and say what became of it; nothing is raised for what a receiver does.

    Args:
        parcel: what is sent.
        allowed: networks that may be spoken to though they are not global.
        context: see `certificates`.
    """
    if not parcel.secrets:
        return Answered(problem="there is no secret to sign it with")
    try:
        url = httpx.URL(parcel.url)
        host = url.host
    except (httpx.InvalidURL, UnicodeError) as error:
        # One from before such were refused.
        return Answered(problem=f"its URL is none that can be spoken to: {error}")
    try:
        addresses = _addresses(host, url.port or 443)
    except (OSError, UnicodeError) as error:
        return Answered(problem=f"{host} is not found: {error}")
    # All of them: one that is public beside one that is not is what an attacker's name looks like.
    if bad := [address for address in addresses if not may_be_spoken_to(address, allowed)]:
        return Answered(problem=f"{host} is {bad[0]}, which webhooks may not be sent to")
    try:
        return anyio.run(_post, parcel, url, addresses, context)
    except TimeoutError:
        return Answered(problem=f"no whole answer within {ATTEMPT_S:.0f} s")
    except httpx.HTTPError as error:
        return Answered(problem=f"no answer: {error or type(error).__name__}")
    except Exception as error:
        return Answered(problem=f"not sent: {type(error).__name__}")


def _addresses(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


async def _post(
    parcel: Parcel, url: httpx.URL, addresses: Sequence[str], context: ssl.SSLContext
) -> Answered:
    """To these addresses, whatever the name leads to by now; the certificate is the name's."""
    timeout = httpx.Timeout(ATTEMPT_S, connect=CONNECT_S if len(addresses) > 1 else ATTEMPT_S)
    client = httpx.AsyncClient(verify=context, trust_env=False, follow_redirects=False, timeout=timeout)
    with anyio.fail_after(ATTEMPT_S):
        async with client:
            response = await _reached(client, parcel, url, addresses)
            answer = b""
            async for piece in response.aiter_raw(ANSWER_BYTES):
                answer += piece
                if len(answer) >= ANSWER_BYTES:
                    break
            await response.aclose()
    return _judged(response, answer[:ANSWER_BYTES])


async def _reached(
    client: httpx.AsyncClient, parcel: Parcel, url: httpx.URL, addresses: Sequence[str]
) -> httpx.Response:
    """What the first address answers that can be reached: of several, one may be down, or of another network.

    Raises:
        httpx.HTTPError: none can be reached, or the one that was did not answer.
    """
    headers = headers_of(parcel, datetime.now(UTC)) | {"host": url.netloc.decode("ascii")}

    async def ask(address: str) -> httpx.Response:
        request = client.build_request(
            "POST",
            url.copy_with(host=address),
            headers=headers,
            content=parcel.body.encode(),
            extensions={"sni_hostname": url.host},
        )
        return await client.send(request, stream=True)

    *others, last = addresses
    for address in others:
        with suppress(httpx.ConnectError, httpx.ConnectTimeout):
            return await ask(address)
    return await ask(last)


def _judged(response: httpx.Response, answer: bytes) -> Answered:
    text = answer.decode("utf-8", "replace").replace("\x00", "\ufffd")[:SHOWN_CHARACTERS]
    if response.is_success:
        return Answered(response.status_code, text)
    if response.is_redirect:
        problem = "it answered with a redirect, which is not followed"
    elif response.status_code == GONE:
        problem = "it answered 410: nothing more is sent there"
    else:
        problem = f"it answered {response.status_code}"
    wait_s = min(retry_after_s(response.headers.get("retry-after", ""), utc_now()), _LONGEST_WISHED_S)
    return Answered(response.status_code, text, problem, timedelta(seconds=wait_s))
