"""The process: its ready file, its stops and crashes, and the doors of its ports."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx
import pytest
from instagrapi.exceptions import LoginRequired

from tests.support.practice_client import PracticeClient
from tests.support.practice_process import PracticeProcess
from tests.support.sample_media import make_photo

CLOCK_STEP_SECONDS = 5
"""The server makes its date header anew every second, or somewhat later on a busy machine."""


@pytest.fixture
def outside(practice_platform: PracticeProcess) -> httpx.Client:
    """An HTTP client without credentials."""
    return httpx.Client(trust_env=False, timeout=10.0)


def test_a_crash_loses_nothing(tmp_path: Path) -> None:
    photo = make_photo(tmp_path / "photo.jpg")
    data = tmp_path / "data"
    practice = PracticeProcess.start(data)
    practice.seed([{"username": name, "password": "secret"} for name in ("ada", "bob")])
    client, other = PracticeClient(practice.url), PracticeClient(practice.url)
    client.login("ada", "secret")
    other.login("bob", "secret")
    practice.revoke_sessions("bob")
    made = client.publish_photo(photo, "before the crash")
    upload_id, width, height = client.photo_rupload(photo)
    before = practice.ledger()
    settings, revoked = client.get_settings(), other.get_settings()
    practice.kill()
    client.close()
    other.close()

    with PracticeProcess.start(data) as practice:
        assert practice.ledger() == before
        client, other = (
            PracticeClient(practice.url, settings=saved) for saved in (settings, revoked)
        )
        assert client.account_info().username == "ada"
        with pytest.raises(LoginRequired):
            other.account_info()
        assert client.media_info_v1(made["pk"]).code == made["code"]
        assert client.photo_configure(upload_id, width, height, "after")["media"]["pk"]
        sha256 = before[-1]["content_sha256"][0]
        assert httpx.get(f"{practice.url}/media/{sha256}", trust_env=False).is_success
        client.close()
        other.close()


def test_a_stop_is_clean_also_with_an_open_connection(tmp_path: Path) -> None:
    practice = PracticeProcess.start(tmp_path)
    ready = json.loads((tmp_path / "ready.json").read_bytes())
    assert ready["pid"] == practice.process.pid
    with httpx.Client(trust_env=False) as client:
        assert client.get(f"{practice.url}/accounts/login/").is_success
        assert practice.stop() == 0
    assert not (tmp_path / "ready.json").exists()
    assert "Traceback" not in (tmp_path / "output.log").read_text()
    assert practice.url in (tmp_path / "output.log").read_text()


@pytest.mark.skipif(os.name != "posix", reason="file modes are a POSIX matter")
def test_the_ready_file_is_for_its_owner(practice_platform: PracticeProcess) -> None:
    mode = (practice_platform.data / "ready.json").stat().st_mode & 0o777
    assert mode == 0o600


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--host", "0.0.0.0"], "loopback only"),  # noqa: S104
        (["--host", "192.0.2.7"], "loopback only"),
        (["--host", "example.com"], "loopback only"),
        (["--port", "70000"], "isn't a port"),
    ],
)
def test_it_listens_nowhere_else(tmp_path: Path, arguments: list[str], message: str) -> None:
    ended = run_serve(tmp_path, *arguments)
    assert ended.returncode == 2
    assert message in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_port_or_folder_in_use_is_said(
    practice_platform: PracticeProcess, tmp_path: Path
) -> None:
    port = practice_platform.url.rpartition(":")[2]
    assert f"Port {port}" in run_serve(tmp_path, "--port", port).stderr
    ended = run_serve(practice_platform.data)
    assert (ended.returncode, "Another practice platform" in ended.stderr) == (2, True)


def run_serve(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "practice.cli", "serve", "--data", str(data), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def test_the_admin_api_wants_its_token_and_no_web_page(
    practice_platform: PracticeProcess, outside: httpx.Client
) -> None:
    url = f"{practice_platform.admin_url}/admin/health"
    token = {"Authorization": f"Bearer {practice_platform.admin_token}"}
    with outside:
        assert outside.get(url).status_code == 401
        assert outside.get(url, headers={"Authorization": "Bearer x"}).status_code == 401
        assert outside.get(url, headers={**token, "Origin": "http://a.example"}).status_code == 403
        assert outside.get(url, headers={**token, "Host": "a.example"}).status_code == 403
        assert outside.get(url, headers=token).json() == {"status": "ok", "visibility_seconds": 1.0}
        unknown = outside.get(f"{practice_platform.admin_url}/admin/other", headers=token)
        assert unknown.json()["message"] == "not implemented"


def test_every_answer_tells_the_platforms_time(
    practice_platform: PracticeProcess, outside: httpx.Client
) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    url = practice_platform.url
    with outside:
        answers = [
            outside.get(f"{url}/accounts/login/"),
            outside.get(f"{url}/api/v1/qe/sync/"),
            outside.get(f"{url}/api/v1/accounts/current_user/"),
            outside.post(f"{url}/rupload_igphoto/1_0_1", content=b"x" * 100_000),
            outside.post(f"{url}/rupload_igvideo/1_0_1", content=b"x" * 100_000),
            outside.post(f"{url}/create/", files={"files": b"x"}),
            outside.get(f"{url}/nothing/here/"),
        ]
        practice_platform.fault("refuse_status", "/api/*")
        answers.append(outside.get(f"{url}/api/v1/qe/sync/"))
    after = datetime.now(UTC)
    statuses = [answer.status_code for answer in answers]
    assert statuses == [200, 200, 403, 403, 403, 403, 404, 503]
    for answer in answers:
        said = parsedate_to_datetime(answer.headers["date"])
        assert before - timedelta(seconds=CLOCK_STEP_SECONDS) <= said <= after


def test_an_accounts_posts_are_told_in_truth(
    practice_platform: PracticeProcess, tmp_path: Path
) -> None:
    practice_platform.seed([{"username": "truthful", "password": "x"}])
    assert practice_platform.posts("truthful") == []
    client = PracticeClient(practice_platform.url)
    client.login("truthful", "x")
    for number in range(2):
        client.publish_photo(make_photo(tmp_path / f"{number}.jpg", number), f"post {number}")
    listed = client.user_medias_v1(client.user_id)
    client.close()
    posts, records = practice_platform.posts("truthful"), practice_platform.ledger(kind="published")
    assert [post["caption"] for post in posts] == ["post 0", "post 1"]
    assert [post["post_id"] for post in posts] == [media.id for media in listed[::-1]]
    assert [post["taken_at"] for post in posts] == [
        int(media.taken_at.timestamp()) for media in listed[::-1]
    ]
    assert [post["content_sha256"] for post in posts] == [
        record["content_sha256"] for record in records[-2:]
    ]
    assert practice_platform.admin.get("/admin/accounts/nobody/posts").status_code == 404


def test_accounts_are_made_all_or_none(practice_platform: PracticeProcess) -> None:
    good = {"username": "whole.list", "password": "x"}
    for bad, word in (
        ({"username": "whole.list", "password": "y"}, "twice"),
        ({"username": "Other", "password": "y"}, "can't be a user name"),
        ({"username": "other", "password": "y", "totp_seed": "0189"}, "base32"),
        ({"username": "other", "password": "y", "require_proxy": "nowhere"}, "no proxy"),
        ({"username": "other"}, "username and password"),
        ({"username": "other", "password": 5}, "text"),
    ):
        answer = practice_platform.admin.post("/admin/accounts", json=[good, bad])
        assert answer.status_code == 400
        assert word in answer.json()["message"]
    names = {account["username"] for account in practice_platform.accounts()}
    assert not names & {"whole.list", "other"}


def test_the_ledger_is_read_in_pages(practice_platform: PracticeProcess) -> None:
    practice_platform.seed([{"username": f"page{n}", "password": "x"} for n in range(3)])
    newest = practice_platform.ledger()[-1]["sequence"]
    answer = practice_platform.admin.get(f"/admin/ledger?after={newest - 3}&limit=2").json()
    assert [record["sequence"] for record in answer["records"]] == [newest - 2, newest - 1]
    assert answer["last"] == newest
    assert practice_platform.ledger(after=newest) == []


def test_faults_that_make_no_sense_are_refused(practice_platform: PracticeProcess) -> None:
    answer = practice_platform.admin.post("/admin/faults", json={"kind": "explode", "route": "*"})
    assert answer.status_code == 400
    assert "drop_after_apply" in answer.json()["message"]


def test_the_proxy_leads_to_the_platform_and_nowhere_else(
    practice_platform: PracticeProcess,
) -> None:
    good = practice_platform.add_proxy("lyon", "louis", "words:with:colons")
    home = f"{practice_platform.url}/accounts/login/"
    with httpx.Client(proxy=good, trust_env=False) as client:
        assert client.get(home).is_success
        assert client.get(f"{practice_platform.admin_url}/admin/health").status_code == 403
        assert client.get("http://example.com/").status_code == 403
    with (
        httpx.Client(proxy=good, trust_env=False) as client,
        pytest.raises(httpx.ProxyError, match="403"),
    ):
        client.get("https://example.com/")
    for wrong in (practice_platform.proxy_url, good.replace("words", "other")):
        with httpx.Client(proxy=wrong, trust_env=False) as client:
            answer = client.get(home)
        assert answer.status_code == 407
        assert answer.headers["proxy-authenticate"].startswith("Basic")


def test_a_proxy_name_can_not_be_claimed(
    practice_platform: PracticeProcess, outside: httpx.Client
) -> None:
    with outside:
        outside.post(
            f"{practice_platform.url}/accounts/login/",
            data={"username": "nobody.here", "password": "x"},
            headers={"X-Practice-Proxy": "lyon", "X-Forwarded-For": "127.0.0.1"},
        )
    record = practice_platform.ledger(kind="password_submitted")[-1]
    assert (record["account"], record["proxy"]) == ("nobody.here", None)


def test_resetting_starts_over(tmp_path: Path) -> None:
    with PracticeProcess.start(tmp_path) as practice:
        practice.seed([{"username": "ada", "password": "x"}])
        practice.fault("delay_ms", "*", delay_ms=1)
        practice.reset()
        assert (practice.accounts(), practice.ledger(), practice.faults()) == ([], [], [])
        practice.seed([{"username": "ada", "password": "x"}])
        assert [record["sequence"] for record in practice.ledger()] == [1]
