"""The routes of accounts, proxies and media, over real services and a real store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from desktop_app.api.accounts import accounts_router
from desktop_app.api.answers import add_error_answers
from desktop_app.api.media import media_router
from desktop_app.api.proxies import proxies_router
from desktop_app.contract import routes
from desktop_app.contract.changes import Delta
from desktop_app.core.accounts import AccountService
from desktop_app.core.changes import ChangeHub, Dirty
from desktop_app.core.media import MediaService
from desktop_app.core.proxies import ProxyService
from desktop_app.store.store import Store
from tests.support.sample_media import make_photo
from tests.support.stored import open_test_store

SECRET = "kelp-forest-4711"


async def collect_nothing(_dirty: Dirty, _watched: frozenset[str]) -> Delta:
    return Delta(revision=0)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_test_store(tmp_path / "data")
    yield opened
    opened.close()


@pytest.fixture
async def client(store: Store) -> AsyncIterator[httpx.AsyncClient]:
    hub = ChangeHub(collect_nothing)
    app = FastAPI()
    add_error_answers(app)
    app.include_router(accounts_router(AccountService(store, hub)))
    app.include_router(proxies_router(ProxyService(store, hub)))
    app.include_router(media_router(MediaService(store, hub)))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://core") as opened:
        yield opened


async def import_accounts(client: httpx.AsyncClient, text: str) -> dict[str, object]:
    body = {
        "text": text,
        "platform": "practice",
        "platform_url": "http://127.0.0.1:5000",
        "confirmed_authority": True,
    }
    answer = await client.post(routes.ACCOUNTS_IMPORT, json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, object] = answer.json()
    return found


async def test_accounts_are_imported_listed_changed_and_removed(client: httpx.AsyncClient) -> None:
    imported = await import_accounts(
        client, f"cove:{SECRET}::http://me:{SECRET}@127.0.0.1:1\nanchor:{SECRET}"
    )
    assert imported["applied"] is True
    query = {"sort": "-username", "limit": 1}
    listed = (await client.get(routes.ACCOUNTS, params=query)).json()
    assert (listed["total"], [row["username"] for row in listed["rows"]]) == (2, ["cove"])
    proxies = (await client.get(routes.PROXIES)).text
    assert '"accounts":1' in proxies
    assert SECRET not in proxies
    ids = imported["ids"]
    edited = await client.post(routes.ACCOUNTS_EDIT, json={"ids": ids, "add_tags": ["north"]})
    assert edited.json()["ids"] == ids
    tagged = (await client.get(routes.ACCOUNTS, params={"tag": "north", "search": "anch"})).json()
    assert tagged["total"] == 1
    await client.post(routes.ACCOUNTS_HOLD, json={"ids": ids, "hold": True})
    assert (await client.get(routes.ACCOUNTS, params={"held": True})).json()["total"] == 2
    removed = await client.post(routes.ACCOUNTS_DELETE, json={"ids": ids})
    assert removed.json()["ids"] == ids
    assert (await client.get(routes.ACCOUNTS)).json()["rows"] == []


async def test_a_refused_import_names_line_and_field_and_no_secret(
    client: httpx.AsyncClient,
) -> None:
    result = await import_accounts(client, f"cove:{SECRET}\nanchor:{SECRET}:{SECRET}!")
    assert result["applied"] is False
    assert [(p["line"], p["field"]) for p in result["problems"]] == [(2, "totp")]  # type: ignore[attr-defined]
    assert SECRET not in str(result)


@pytest.mark.parametrize(
    ("route", "query"),
    [
        (routes.ACCOUNTS, {"sort": "password"}),
        (routes.ACCOUNTS, {"offset": -1}),
        (routes.ACCOUNTS, {"limit": 1_000_000}),
        (routes.MEDIA, {"sort": "colour"}),
    ],
)
async def test_a_query_that_makes_no_sense_is_refused(
    client: httpx.AsyncClient, route: str, query: dict[str, str]
) -> None:
    answer = await client.get(route, params=query)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_input")


async def test_media_comes_with_its_small_picture(
    client: httpx.AsyncClient, tmp_path: Path
) -> None:
    paths = [str(make_photo(tmp_path / "dusk.jpg")), str(tmp_path / "nowhere.jpg")]
    imported = (await client.post(routes.MEDIA_IMPORT, json={"paths": paths})).json()
    (row,), (problem,) = imported["rows"], imported["problems"]
    assert (problem["line"], problem["field"]) == (2, paths[1])
    listed = (await client.get(routes.MEDIA, params={"kind": "photo"})).json()
    assert listed["rows"] == [row]
    picture = await client.get(routes.MEDIA_THUMBNAIL.format(sha256=row["sha256"]))
    assert picture.headers["content-type"] == "image/jpeg"
    assert picture.content.startswith(b"\xff\xd8\xff")
    gone = await client.get(routes.MEDIA_THUMBNAIL.format(sha256="e" * 64))
    assert (gone.status_code, gone.json()["code"]) == (404, "not_found")
    removed = await client.post(routes.MEDIA_DELETE, json={"sha256s": [row["sha256"]]})
    assert removed.json()["ids"] == [row["sha256"]]
    assert (await client.get(routes.MEDIA)).json()["total"] == 0
