"""Surveys over the api: published once, seen by those who work on the roads, reviewed by officers."""

import http.server
import io
import json
import re
import threading
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
from typer.testing import CliRunner
from typing_extensions import override

from serayu.models.access import Role
from serayu.models.errors import BadInputError, ConflictError, StoreUnavailableError
from serayu.models.places import default_region
from serayu.models.region import load_region
from serayu.models.stores.register import upgrade
from serayu.models.stores.register.database import sqlite_url
from serayu.models.stores.register.reviews import ReviewLog
from serayu.models.survey.letters import LETTERS
from serayu.models.survey.review import Review
from serayu.models.survey.schema import finding_schema
from serayu.vision.documents.signs import SIGNS
from serayu.vision.survey.publish import Target, check_target, publish_survey
from serayu.vision.survey.publish_withdraw import app as withdraw_app
from serayu.vision.survey.survey_cli import app as survey_app
from tests.api.site import REGION, Site, site
from tests.models.survey.bundles import IDS, SURVEY, changed, crops, documents, other, zipped

PATHS = ("/api/v1/surveys", "/api/v1/findings", "/api/v1/segments", f"/api/v1/findings/{IDS[0]}/picture.jpg")


def publish(
    api: Site, data: bytes, *, role: str = "operator", key: str | None = "publish-0001"
) -> httpx.Response:
    headers = {"Content-Type": "application/zip"} | ({} if key is None else {"Idempotency-Key": key})
    with api.client(role) as client:
        return client.post("/api/v1/surveys", content=data, headers=headers)


def review(
    api: Site, n: int, judgement: str, *, key: str, label: str | None = None, role: str = "dishub"
) -> httpx.Response:
    body = {"judgement": judgement} | ({} if label is None else {"class": label})
    with api.client(role) as client:
        return client.post(f"/api/v1/findings/{IDS[n]}/reviews", json=body, headers={"Idempotency-Key": key})


@pytest.fixture(scope="module", name="surveyed")
def _surveyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An api with one survey, for tests that only look."""
    with site(tmp_path_factory.mktemp("surveyed")) as made:
        assert publish(made, zipped()).status_code == 201
        yield made


def seen(api: Site, **asked: str | float) -> list[int]:
    answer = api.get("/api/v1/findings", "crew", **asked)
    assert answer.status_code == 200, answer.text
    return [IDS.index(one["id"]) for one in answer.json()["features"]]


def test_a_survey_is_published_once_and_again_changes_nothing(api: Site) -> None:
    first = publish(api, zipped())
    assert (first.status_code, first.headers["location"]) == (201, f"/api/v1/surveys/{SURVEY}")
    assert (first.json()["survey"], first.json()["findings"], first.json()["pictures"]) == (SURVEY, 4, 3)
    before = api.get("/api/v1/findings", "dishub").json()
    for key, year in (
        ("publish-0001", 2026),
        ("publish-0001", 2025),
        ("publish-0002", 2026),
        ("publish-0003", 2025),
    ):
        again = publish(api, zipped(year=year), key=key)
        assert (again.status_code, again.json()) == (200, first.json())
    assert api.get("/api/v1/findings", "dishub").json() == before
    (listed,) = api.get("/api/v1/surveys", "crew").json()["surveys"]
    assert (listed["id"], listed["findings"], listed["first"]) == (SURVEY, 4, "2026-07-01T02:00:00Z")
    whole = api.get(f"/api/v1/surveys/{SURVEY}", "crew").json()
    assert whole["summary"] == documents()["survey.json"]
    assert [one.action for one in api.register.audit_entries(REGION)].count("survey.publish") == 1


def test_another_bundle_under_the_same_id_or_key_is_a_conflict_with_its_reason(api: Site) -> None:
    assert publish(api, zipped()).status_code == 201
    answer = publish(api, zipped(changed(score=0.1)), key="publish-0002")
    assert answer.status_code == 409
    assert "another survey needs another id" in answer.json()["detail"]
    assert publish(api, other("two")).status_code == 409, "the key was used for another bundle"
    assert publish(api, other("two"), key="publish-0003").status_code == 201
    assert api.get("/api/v1/findings", "crew").json()["total"] == 8


def test_an_officer_withdraws_a_survey_and_may_publish_it_again_with_the_same_key(api: Site) -> None:
    assert publish(api, zipped()).status_code == 201
    assert review(api, 0, "benar", key="review-0001").status_code == 201
    with api.client("crew") as crew, api.client("dishub") as officer:
        assert crew.delete(f"/api/v1/surveys/{SURVEY}").status_code == 403
        first, again = (officer.delete(f"/api/v1/surveys/{SURVEY}") for _ in range(2))
        odd, never = (officer.delete(f"/api/v1/surveys/{name}") for name in ("..%2F..", "xx"))
    assert (first.status_code, first.json()) == (
        200,
        {"survey": SURVEY, "withdrawn": True, "findings": 4, "segments": 1, "reviews": 1},
    )
    assert (again.status_code, again.json()["withdrawn"], again.json()["findings"]) == (200, False, 0)
    assert odd.status_code == 404
    assert never.status_code == 404
    assert seen(api) == []
    assert api.get(PATHS[-1], "crew").status_code == 404
    assert not list((api.settings.data_dir / "surveys").rglob("*.jpg"))
    assert [one.action for one in api.register.audit_entries(REGION)].count("survey.withdraw") == 1
    assert publish(api, zipped()).status_code == 201
    assert seen(api) == [3, 2, 1, 0]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "expected a zip"),
        (b"nonsense", "not a zip"),
        (zipped(changed(score=2)), "findings.geojson, row 1, field properties.score"),
        (zipped(pictures={"../x.jpg": b"x"}), "does not belong in a bundle"),
    ],
    ids=["nothing", "no zip", "a wrong score", "a path out of the folder"],
)
def test_a_wrong_bundle_is_refused_by_name_and_leaves_nothing(api: Site, data: bytes, said: str) -> None:
    answer = publish(api, data)
    assert answer.status_code == 422
    assert said in answer.json()["detail"]
    assert api.get("/api/v1/surveys", "crew").json() == {"surveys": []}
    assert list((api.settings.data_dir / "surveys").iterdir()) == []


def test_what_a_kill_left_is_removed_at_the_start_and_at_the_next_publication(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "surveys"

    def leave() -> None:
        (folder / ".incoming-x" / "crops").mkdir(parents=True)
        (folder / ".upload-y").write_bytes(b"half")

    leave()
    with site(tmp_path) as api:
        assert api.settings.data_dir / "surveys" == folder
        assert list(folder.iterdir()) == []
        leave()
        assert publish(api, zipped()).status_code == 201
        assert [one.name for one in folder.iterdir()] == [REGION]


def test_a_bundle_needs_a_key_against_repetition(api: Site) -> None:
    assert publish(api, zipped(), key=None).status_code == 422


def test_a_bundle_that_is_too_large_is_refused(tmp_path: Path) -> None:
    with site(tmp_path, survey_bytes=1000) as api:
        assert publish(api, zipped()).status_code == 413
        assert list((api.settings.data_dir / "surveys").iterdir()) == []


@pytest.mark.parametrize("path", PATHS)
def test_findings_are_for_who_works_on_the_roads(surveyed: Site, path: str) -> None:
    assert surveyed.get(path).status_code == 401
    statuses = {role.value: surveyed.get(path, role.value).status_code for role in Role}
    assert statuses == {"dishub": 200, "operator": 200, "crew": 200, "farmer": 403, "public": 403}


def test_findings_are_geojson_by_the_schema_with_picture_and_review_beside(surveyed: Site) -> None:
    answer = surveyed.get("/api/v1/findings", "crew")
    assert answer.headers["content-type"] == "application/geo+json"
    document = answer.json()
    assert (document["type"], document["total"], document["next"]) == ("FeatureCollection", 4, None)
    for one in document["features"]:
        jsonschema.validate(one["properties"], finding_schema())
    pictures = [one["picture"] for one in document["features"]]
    assert pictures == [None, *(f"/api/v1/findings/{IDS[n]}/picture.jpg" for n in (2, 1, 0))]
    picture = surveyed.get(pictures[-1], "crew")
    assert (picture.content, picture.headers["content-type"]) == (
        crops()[f"crops/{IDS[0]}.jpg"],
        "image/jpeg",
    )
    assert picture.headers["cache-control"] == "private, no-cache"
    assert surveyed.get(f"/api/v1/findings/{IDS[3]}/picture.jpg", "crew").status_code == 404
    assert surveyed.get("/api/v1/findings/../../x/picture.jpg", "crew").status_code == 404
    with surveyed.client("crew") as client:
        known = {"If-None-Match": answer.headers["etag"]}
        assert client.get("/api/v1/findings", headers=known).status_code == 304


def test_findings_are_filtered_and_paged(surveyed: Site) -> None:
    assert seen(surveyed) == [3, 2, 1, 0]
    assert seen(surveyed, **{"class": "pothole"}) == [0]
    assert seen(surveyed, ruas="CONTOH-01") == [2, 1, 0]
    assert seen(surveyed, survey="x") == []
    assert seen(surveyed, score=0.6) == [3, 2, 0]
    assert seen(surveyed, bbox="109.3365,-7.6,109.3375,-7.5") == [1]
    first = surveyed.get("/api/v1/findings", "crew", limit=3).json()
    assert len(first["features"]) == 3
    assert seen(surveyed, limit=3, cursor=first["next"]) == [0]


@pytest.mark.parametrize(
    "asked", [{"bbox": "1,2,3"}, {"bbox": "a,b,c,d"}, {"bbox": "3,0,1,1"}, {"bbox": "nan,0,1,1"}, {"class": "manhole"},
              {"score": 2}, {"limit": 0}, {"colour": "red"}], ids=str,
)  # fmt: skip
def test_a_question_that_makes_no_sense_is_refused(surveyed: Site, asked: dict[str, Any]) -> None:
    assert surveyed.get("/api/v1/findings", "crew", **asked).status_code == 422


def test_segments_have_their_intervals(surveyed: Site) -> None:
    document = surveyed.get("/api/v1/segments", "crew").json()
    (one,) = document["features"]
    assert (one["properties"]["pci"], one["properties"]["sdi"], document["next"]) == (
        [61.5, 74.0],
        [15.0, 35.0],
        None,
    )
    assert surveyed.get("/api/v1/segments", "crew", ruas="X").json()["features"] == []
    assert surveyed.get("/api/v1/segments", "crew", bbox="0,0,1,1").json()["features"] == []
    assert surveyed.get("/api/v1/segments", "crew", cursor="x").status_code == 422


def test_reviews_are_kept_and_become_statistics_and_labels(api: Site) -> None:
    publish(api, zipped())
    assert review(api, 0, "benar", key="review-1").status_code == 201
    assert review(api, 0, "benar", key="review-1").json()["id"] == 1
    assert (
        review(api, 1, "ubah", label="transverse_crack", key="review-2").json()["class"] == "transverse_crack"
    )
    assert review(api, 2, "salah", key="review-3").status_code == 201
    assert review(api, 0, "salah", key="review-4", role="operator").status_code == 201
    assert review(api, 1, "ubah", key="review-5").status_code == 422
    assert review(api, 3, "perhaps", key="review-6").status_code == 422
    one = api.get(f"/api/v1/findings/{IDS[0]}", "crew").json()
    assert [said["judgement"] for said in one["reviews"]] == ["benar", "salah"]
    assert one["review"]["judgement"] == "salah"
    found = api.get("/api/v1/reviews/agreement", "dishub").json()
    assert (found["findings"], found["reviewed"], found["all"]["confirmed"]) == (4, 3, 0)
    assert found["classes"]["longitudinal_crack"]["corrected"] == 1
    assert found["reviewers"][0]["both"] == 1
    answer = api.get("/api/v1/reviews/labels.zip", "operator")
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as packed:
        assert packed.read(f"labels/{SURVEY}/SRY_0001.txt") == b""
        assert packed.read(f"partial/{SURVEY}/SRY_0002.txt") == b"1 0.087500 0.025000 0.050000 0.050000\n"
    assert api.get("/api/v1/reviews/labels.zip", "crew").status_code == 403


def test_two_people_of_one_name_who_use_one_idempotency_key_are_both_heard(api: Site) -> None:
    publish(api, zipped())
    keys = [api.register.create_key(REGION, "Ani", Role.DISHUB, now_us=number) for number in (1, 2)]
    answers = [
        httpx.post(
            f"{api.url}/api/v1/findings/{IDS[0]}/reviews",
            json={"judgement": "benar"},
            headers={"Authorization": f"Bearer {one.secret}", "Idempotency-Key": "review-1"},
        )
        for one in (*keys, keys[0])
    ]
    assert [one.json()["id"] for one in answers] == [1, 2, 1]
    assert [one.by for one in api.register.reviews(REGION)] == [one.key.id for one in keys]


def _login(api: Site, client: httpx.Client, role: str = "dishub") -> None:
    assert client.post("/login", data={"key": api.secrets["keys"][role]}).status_code == 303


def _form(page: str, n: int) -> dict[str, str]:
    form = page.partition(f'action="/tinjau/{IDS[n]}"')[2].partition("</form>")[0]
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))


def test_the_review_page_shows_the_most_doubtful_first_and_takes_forms_without_script(api: Site) -> None:
    publish(api, zipped())
    with api.client() as client:
        _login(api, client)
        page = client.get("/tinjau").text
        assert re.findall(r'id="f-([^"]+)"', page) == [IDS[1], IDS[2], IDS[0], IDS[3]]
        assert "<script" not in page
        assert "Retak memanjang" in page
        assert "Longitudinal crack" in page
        assert "3,25 ± 0,20 m" in page
        assert "tidak terukur" in page
        form = _form(page, 1)
        path = f"/tinjau/{IDS[1]}"
        assert client.post(path, data={**form, "csrf": "x", "judgement": "benar"}).status_code == 403
        answer = client.post(path, data={**form, "judgement": "ubah", "correct": "pothole"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/tinjau?state=open&page=1")
        page = client.get(answer.headers["location"]).text
        assert re.findall(r'id="f-([^"]+)"', page) == [IDS[2], IDS[0], IDS[3]]
        assert (
            client.post(f"/tinjau/{IDS[2]}", data={**_form(page, 2), "judgement": "salah"}).status_code == 303
        )
        done = client.get("/tinjau", params={"state": "done", "survey": "", "class": ""}).text
        assert re.findall(r'id="f-([^"]+)"', done) == [IDS[1], IDS[2]]
        assert "diubah" in done
        assert "2 dari 4 temuan sudah ditinjau" in done
        assert client.get("/tinjau", params={"state": "open", "page": 99}).status_code == 200
        assert client.get("/tinjau", params={"state": "x"}).status_code == 422
    last = api.register.finding(REGION, IDS[1]).review
    assert last is not None
    assert last.name.endswith("(dishub)")


def test_the_review_page_reads_the_reviews_of_the_findings_that_it_shows_alone(
    api: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(api, zipped())
    for n in range(3):
        assert review(api, n, "benar", key=f"review-{n}").status_code == 201
    read: list[str] = []
    whole = ReviewLog.reviews

    def watched(
        log: ReviewLog, region: str, *, survey_id: str | None = None, findings: Sequence[str] | None = None
    ) -> list[Review]:
        found = whole(log, region, survey_id=survey_id, findings=findings)
        read.extend(one.finding for one in found)
        return found

    monkeypatch.setattr(ReviewLog, "reviews", watched)
    with api.client() as client:
        _login(api, client)
        page = client.get("/tinjau", params={"state": "done", "class": "pothole"}).text
    assert re.findall(r'id="f-([^"]+)"', page) == read == [IDS[0]]
    assert "3 dari 4 temuan sudah ditinjau" in page


def test_the_review_page_asks_for_a_login_and_then_opens(api: Site) -> None:
    with api.client() as client:
        for answer in (client.get("/tinjau"), client.post(f"/tinjau/{IDS[0]}", data={"judgement": "benar"})):
            assert (answer.status_code, answer.headers["cache-control"]) == (401, "no-store")
            assert 'name="to" value="/tinjau"' in answer.text
        key = api.secrets["keys"]["dishub"]
        for to, there in (("https://example.org/", "/"), ("//example.org", "/"), ("/tinjau", "/tinjau")):
            answer = client.post("/login", data={"key": key, "to": to})
            assert (answer.status_code, answer.headers["location"]) == (303, there)
        assert client.get("/tinjau").status_code == 200


def test_names_in_a_survey_cannot_bring_markup_into_the_page(api: Site) -> None:
    publish(api, zipped(changed(photo="<b>x</b>".replace("/", ""), photos=["<b>x<b>"])))
    with api.client() as client:
        _login(api, client)
        page = client.get("/tinjau").text
    assert "&lt;b&gt;x" in page
    assert "<b>x" not in page


def test_the_map_knows_of_findings_only_for_who_may_see_them(surveyed: Site) -> None:
    for role, layer, link in (
        (None, False, False),
        ("farmer", False, False),
        ("crew", True, False),
        ("dishub", True, True),
    ):
        page = surveyed.get("/", role).text
        assert ('"findings": true' in page, "Temuan survei drone" in page, "/tinjau" in page) == (
            layer,
            layer,
            link,
        )


def test_the_review_page_frames_what_a_picture_shows_where_the_photo_shows_it_once(api: Site) -> None:
    given = documents()
    boxes = given["sightings.json"]["photos"][1]["boxes"]
    boxes.append({"finding": IDS[1], "xyxy_px": [900.0, 900.0, 950.0, 950.0]})
    publish(api, zipped(given))
    with api.client() as client:
        _login(api, client)
        page = client.get("/tinjau").text
    framed = {
        one: re.findall(
            r'viewBox="([^"]*)".*?<rect x="(\S+)" y="(\S+)" width="(\S+)" height="(\S+)"', article
        )
        for one, article in zip(*[iter(re.split(r'<article id="f-([^"]*)"', page)[1:])] * 2, strict=True)
    }
    assert framed == {
        IDS[0]: [("0 0 104 84", "0.0", "0.0", "80.0", "60.0")],
        IDS[1]: [],
        IDS[2]: [("0 0 128 84", "24.0", "0.0", "80.0", "60.0")],
        IDS[3]: [],
    }, "the second is there twice, and the last has no picture"


def test_a_class_has_one_letter_on_the_map_the_review_page_and_the_report(surveyed: Site) -> None:
    said = {kind.value: letter for kind, letter in LETTERS.items()}
    assert sorted(said.values()) == sorted(set(said.values()))
    assert {kind: sign.letter for kind, sign in SIGNS.items()} == LETTERS
    page = surveyed.get("/", "dishub").text
    assert json.loads(page.split('id="page-data">')[1].split("</script>")[0])["letters"] == said
    legend = re.findall(r'finding-mark (\w+)" title="[^"]*">(\w)<', page)
    with surveyed.client() as client:
        _login(surveyed, client)
        shown = re.findall(r'finding-mark (\w+)" aria-hidden="true">(\w)<', client.get("/tinjau").text)
    assert dict(legend) == said
    assert shown
    assert set(shown) <= set(said.items())


def _folder(folder: Path) -> Path:
    with zipfile.ZipFile(io.BytesIO(zipped())) as packed:
        packed.extractall(folder)
    return folder


def test_a_folder_is_published_to_an_api_and_here_with_the_same_ids(api: Site, tmp_path: Path) -> None:
    folder, key = _folder(tmp_path / "out"), api.secrets["keys"]["operator"]
    sent = [publish_survey(folder, Target(url=api.url, key=key)) for _ in range(2)]
    assert [one.pop("created") for one in sent] == [True, False]
    assert sent[0] == sent[1]
    assert seen(api) == [3, 2, 1, 0]
    target = Target(region=api.settings.region, data=tmp_path / "here")
    with pytest.raises(BadInputError, match=r"here/register\.sqlite: no register here"):
        check_target(target)
    with pytest.raises(BadInputError, match="no register here"):
        publish_survey(folder, target)
    assert not (tmp_path / "here").exists()
    upgrade(sqlite_url(tmp_path / "here" / "register.sqlite"))
    check_target(target)
    here = [publish_survey(folder, target) for _ in range(2)]
    assert [one["created"] for one in here] == [True, False]
    assert here[0]["sha256"] == sent[0]["sha256"]
    (folder / "findings.geojson").write_text("{")
    with pytest.raises(BadInputError, match=r"findings\.geojson"):
        publish_survey(folder, target)


def test_publishing_says_why_it_cannot(api: Site, tmp_path: Path) -> None:
    folder = _folder(tmp_path / "out")
    for target, error, said in (
        (Target(region=tmp_path), BadInputError, r"region\.toml"),
        (Target(url=api.url), BadInputError, "SERAYU_PUBLISH_KEY"),
        (Target(url=api.url, key="sry_wrong"), BadInputError, "answered 401"),
        (Target(url=api.url, key=api.secrets["keys"]["crew"]), BadInputError, "answered 403"),
        (
            Target(url="http://127.0.0.1:9", key="x"),
            StoreUnavailableError,
            r"127\.0\.0\.1:9\S*: Connection refused$",
        ),
    ):
        with pytest.raises(error, match=said):
            check_target(target)
        with pytest.raises(error, match=said):
            publish_survey(folder, target)
    check_target(Target(url=api.url, key=api.secrets["keys"]["operator"]))
    publish(api, zipped(changed(score=0.1)))
    with pytest.raises(ConflictError, match="another survey needs another id"):
        publish_survey(folder, Target(url=api.url, key=api.secrets["keys"]["operator"]))


class _Elsewhere(http.server.BaseHTTPRequestHandler):
    """A web server that is no api: it answers everything with a page."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>welcome</html>")

    @override
    def log_message(self, *_: object) -> None:
        pass


def test_publishing_goes_by_default_to_the_place_of_serayu_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code = load_region(default_region()).code
    upgrade(sqlite_url(tmp_path / "serayu-data" / code / "register.sqlite"))
    assert publish_survey(_folder(tmp_path / "out"), Target())["created"]
    assert (tmp_path / "serayu-data" / code / "surveys" / code / SURVEY / "crops").is_dir()


def test_the_command_withdraws_from_an_api_and_here(
    api: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = _folder(tmp_path / "out")
    here = Target(region=api.settings.region, data=tmp_path / "here")
    upgrade(sqlite_url(tmp_path / "here" / "register.sqlite"))
    monkeypatch.setenv("SERAYU_PUBLISH_KEY", api.secrets["keys"]["operator"])
    for target, options in (
        (Target(url=api.url, key=api.secrets["keys"]["operator"]), ["--url", api.url]),
        (here, ["--region", str(here.region), "--data", str(here.data)]),
    ):
        never = CliRunner().invoke(withdraw_app, [SURVEY, *options])
        assert (never.exit_code, never.stdout) == (2, "")
        assert f"tidak ada survei · there is no survey '{SURVEY}'" in never.stderr
        assert publish_survey(folder, target)["created"]
        first, again = (
            CliRunner().invoke(withdraw_app, [SURVEY, *options, "--json"]).stdout for _ in range(2)
        )
        assert json.loads(first) == {
            "survey": SURVEY, "withdrawn": True, "findings": 4, "segments": 1, "reviews": 0
        }  # fmt: skip
        assert json.loads(again)["withdrawn"] is False
        third = CliRunner().invoke(withdraw_app, [SURVEY, *options])
        assert (third.exit_code, third.stdout.strip()) == (
            0,
            f"survei · survey {SURVEY}: sudah ditarik · was withdrawn before",
        )
        assert publish_survey(folder, target)["created"], "it may come back"


def test_a_survey_that_could_not_be_published_does_not_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    said = CliRunner().invoke(survey_app, ["photos", "--out", "out", "--publish"])
    assert said.exit_code == 2
    assert "no register here" in said.output
    assert [one.name for one in tmp_path.iterdir()] == ["photos"]


def test_publishing_to_what_is_no_api_says_so(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "out")
    with http.server.HTTPServer(("127.0.0.1", 0), _Elsewhere) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            with pytest.raises(BadInputError, match="not as an api of Serayu"):
                publish_survey(folder, Target(url=f"http://127.0.0.1:{server.server_port}", key="x"))
        finally:
            server.shutdown()
            thread.join()
