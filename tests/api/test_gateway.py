"""Messages from phones over the api: signed, taken once, and without a trace of the number."""

import json
import logging
from pathlib import Path

import httpx
import pytest

from serayu.models.delivery.inbound import SECRET_FILE, make_inbound_secret
from serayu.models.delivery.recipient import Address, ConsentAction
from serayu.models.delivery.signature import SIGNATURE_HEADER, sign
from serayu.models.stores.register.vault import KEY_FILE, Vault
from serayu.models.times import US_PER_S
from tests.api.site import REGION, Site, now_us, site
from tests.models.delivery.story import PHONE, citizen


@pytest.fixture(name="secret")
def _secret(api: Site) -> str:
    return make_inbound_secret(api.settings.data_dir)


@pytest.fixture(name="vault")
def _vault(api: Site) -> Vault:
    return Vault.open(api.settings.data_dir / KEY_FILE)


def say(text: str, *, sender: str = "0812-0000-0001", channel: str = "sms") -> bytes:
    return json.dumps({"channel": channel, "from": sender, "text": text}).encode()


def post(api: Site, body: bytes, secret: str, *, age_s: int = 0) -> httpx.Response:
    signature = sign(body, secret, timestamp_s=now_us() // US_PER_S - age_s)
    with api.client() as client:
        return client.post("/api/v1/gateway/messages", content=body, headers={SIGNATURE_HEADER: signature})


def test_berhenti_stops_the_number_once_and_leaves_no_trace_of_it(
    api: Site, secret: str, vault: Vault, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    warga = api.register.add_recipient(citizen(region=REGION), Address(PHONE), vault)
    body = say("Berhenti!")
    answer = post(api, body, secret)
    assert (answer.status_code, answer.json()["action"]) == (200, "stopped")
    assert set(answer.json()["reply"]) == {"id", "en", "jv-banyumas"}
    assert api.register.recipient(warga.id).stopped_us is not None
    signature = sign(body, secret, timestamp_s=now_us() // US_PER_S)
    with api.client() as client:
        for _ in range(2):  # as a gateway repeats after a lost answer
            again = client.post(
                "/api/v1/gateway/messages", content=body, headers={SIGNATURE_HEADER: signature}
            )
            assert again.json() == answer.json()
    consents = api.register.consents(REGION)
    assert [(one.action, one.source) for one in consents if one.recipient_id == warga.id] == [
        (ConsentAction.OUT, "sms:BERHENTI")
    ]
    assert "81200000001" not in answer.text
    assert "8120000" not in caplog.text
    assert "0812-0000" not in caplog.text


def test_a_repeated_request_is_noted_once(api: Site, secret: str, vault: Vault) -> None:
    assert vault is not None
    body = say("STOP", sender="+6281200000009")
    signature = sign(body, secret, timestamp_s=now_us() // US_PER_S)
    with api.client() as client:
        answers = [
            client.post(
                "/api/v1/gateway/messages", content=body, headers={SIGNATURE_HEADER: signature}
            ).json()
            for _ in range(3)
        ]
    assert answers == [answers[0]] * 3
    assert len(api.register.consents(REGION)) == 1


@pytest.mark.parametrize("text", ["DAFTAR", "kapan berhenti hujan?", "", "apa kiye"])
def test_other_words_change_nothing_and_say_so(api: Site, secret: str, vault: Vault, text: str) -> None:
    warga = api.register.add_recipient(citizen(region=REGION), Address(PHONE), vault)
    answer = post(api, say(text), secret)
    assert (answer.status_code, answer.json()["action"]) == (200, "ignored")
    assert "BERHENTI" in answer.json()["reply"]["id"]
    assert api.register.recipient(warga.id).stopped_us is None
    assert api.register.consents(REGION) == []


def test_nothing_is_taken_without_a_secret_a_good_signature_or_the_key_of_the_register(api: Site) -> None:
    body = say("BERHENTI")
    assert post(api, body, "x" * 40).status_code == 404
    secret = make_inbound_secret(api.settings.data_dir)
    with api.client() as client:
        assert client.post("/api/v1/gateway/messages", content=body).status_code == 422
    assert post(api, body, "x" * 40).status_code == 403
    assert post(api, body, secret, age_s=301).status_code == 403
    assert post(api, body, secret, age_s=-400).status_code == 403
    lost = post(api, body, secret)  # no delivery.key: a new one would find nobody
    assert (lost.status_code, lost.headers["retry-after"]) == (503, "5")
    assert not (api.settings.data_dir / KEY_FILE).exists()
    (api.settings.data_dir / SECRET_FILE).chmod(0o644)
    assert post(api, body, secret).status_code == 503


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"\xff", say("x", channel="webhook"), say("x", channel="fax"), say("BERHENTI", sender="81"),
        b'{"channel":"sms","from":"+6281200000001"}', b'{"channel":"sms","from":6281200000001,"text":"STOP"}',
        say("x" * 9000),
    ],
)  # fmt: skip
def test_what_is_no_message_is_refused_without_the_number(
    api: Site, secret: str, vault: Vault, body: bytes
) -> None:
    assert vault is not None
    answer = post(api, body, secret)
    assert answer.status_code == 422
    assert "812000" not in answer.text
    assert api.register.consents(REGION) == []


def test_too_many_messages_and_too_many_wrong_signatures_are_put_off(tmp_path: Path) -> None:
    with site(tmp_path, gateway_messages=3) as api:
        secret = make_inbound_secret(api.settings.data_dir)
        wrong = [post(api, say("x"), "x" * 40).status_code for _ in range(11)]
        assert wrong == [403] * 10 + [429]
        taken = [post(api, say(f"x {n}"), secret) for n in range(4)]
        assert [one.status_code for one in taken] == [200, 200, 200, 429]  # wrong ones used up nothing
        assert int(taken[-1].headers["retry-after"]) >= 1
