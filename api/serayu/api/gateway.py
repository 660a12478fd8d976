"""Messages from phones, which an SMS or WhatsApp gateway passes on, signed: BERHENTI stops a number.

No number gets into a log line, an error or an answer. A message is taken once: the same request again, which is how a
gateway repeats after a lost answer, and how somebody would who recorded it, gets the same answer and changes nothing.
"""

import hashlib
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Header, Request, Response

from serayu.api.context import Api, api_of
from serayu.api.errors import AccessError
from serayu.api.security import EVERYBODY, Principal, client_of
from serayu.models.delivery.inbound import InboundMessage, inbound_secret, read_inbound
from serayu.models.delivery.signature import SIGNATURE_HEADER, verify_signature
from serayu.models.delivery.stop import is_stop
from serayu.models.errors import BadInputError, NotFoundError, StoreUnavailableError
from serayu.models.stores.register.vault import KEY_FILE, Vault
from serayu.models.texts import LANGUAGES, text
from serayu.models.times import US_PER_S, SystemClock

__all__ = ["router"]

router = APIRouter(prefix="/api/v1", tags=["gateway"])
BODY_AT_MOST = 8192
"""Bytes; the longest WhatsApp text is half of that [project proposal]."""
JSON = "application/json"
STOPPED = {"action": "stopped", "reply": {lang: text("gateway.stopped", lang) for lang in LANGUAGES}}


@router.post(
    "/gateway/messages",
    summary="A message from a phone, passed on by a gateway and signed",
    responses={
        200: {"description": "Taken; `reply` may be sent back.", "content": {JSON: {"example": STOPPED}}},
        403: {"description": "The signature is wrong, or older than 5 minutes."},
        404: {"description": "This site takes no messages: no gateway secret was made."},
        429: {"description": "Too many messages, or wrong signatures."},
    },
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                JSON: {
                    "schema": {
                        "type": "object",
                        "required": ["channel", "from", "text"],
                        "properties": {
                            "channel": {"enum": ["sms", "whatsapp"]},
                            "from": {"type": "string"},
                            "text": {"type": "string"},
                        },
                        "additionalProperties": False,
                    }
                }
            },
        }
    },
)
async def messages(
    request: Request,
    _who: Annotated[Principal, Depends(EVERYBODY)],
    signature: Annotated[str | None, Header(alias=SIGNATURE_HEADER, description="As of webhooks.")] = None,
) -> Response:
    """Take a message: BERHENTI or STOP stops every channel of the number; any other word changes nothing."""
    api = api_of(request)
    if signature is None:
        raise BadInputError("expected a signature, see the description of webhooks", field=SIGNATURE_HEADER)
    body = await _body(request)
    await _check(api, request, body, signature)
    api.messages.fail(
        client_of(request)
    )  # after the signature: who has none must not use up the gateway's share
    question = ("gateway", hashlib.sha256(body).hexdigest())
    answer = api.answers.find("gateway", signature, question)
    if answer is None:
        answer = msgspec.json.encode(await api.run(_take, api, read_inbound(body)))
        api.answers.keep("gateway", signature, question, answer)
    return Response(answer, media_type=JSON, headers={"Cache-Control": "no-store"})


async def _body(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_AT_MOST:
            raise BadInputError(f"longer than {BODY_AT_MOST} bytes", field="body")
    return body


async def _check(api: Api, request: Request, body: bytes, signature: str) -> None:
    secret = await api.run(_secret, api)
    if secret is None:
        raise NotFoundError(
            "this site takes no messages: `serayu recipients inbound` makes the gateway's secret"
        )
    if not verify_signature(body, signature, secret, now_s=SystemClock().now_us() / US_PER_S):
        api.failures.fail(client_of(request))
        raise AccessError("the signature is wrong or too old")


def _secret(api: Api) -> str | None:
    try:
        return inbound_secret(api.settings.data_dir)
    except BadInputError as error:  # the caller can do nothing about it, and shall not learn where files are
        raise StoreUnavailableError(str(error)) from None


def _take(api: Api, message: InboundMessage) -> dict[str, Any]:
    if not is_stop(message.text):
        return _answer("ignored", "gateway.unknown")
    api.register.stop_number(
        api.region.code,
        message.sender,
        _vault(api),
        source=f"{message.channel.value}:BERHENTI",
        now_us=SystemClock().now_us(),
    )
    return _answer("stopped", "gateway.stopped")


def _vault(api: Api) -> Vault:
    """Open the key of the addresses; one that is made here would find nobody, and the number would go on being told."""
    file = api.settings.data_dir / KEY_FILE
    if not file.exists():
        raise StoreUnavailableError(f"{KEY_FILE} of the register is not in the data folder")
    try:
        return Vault.open(file)
    except BadInputError as error:
        raise StoreUnavailableError(str(error)) from None


def _answer(action: str, key: str) -> dict[str, Any]:
    return {"action": action, "reply": {lang: text(key, lang) for lang in LANGUAGES}}
