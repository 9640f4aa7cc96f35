"""Canaries in every secret field; then a search of all that the system leaves behind and shows."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import secrets
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx
import psutil
import pytest

from common.domain.accounts import DriverName
from common.domain.states import ItemState
from common.security.pairing import parse_pairing_line
from desktop_app.client.core_client import CoreClient
from desktop_app.contract import routes
from desktop_app.store import accounts, agents, specs
from desktop_app.store.accounts import AccountQuery
from desktop_app.store.store import open_store
from tests.support.agent_link import Paired, pair
from tests.support.canaries import Allowed, Canaries
from tests.support.child_process import has_ended
from tests.support.system import CONFIGURE, Member, System, running_system, states_of
from tests.support.waiting import wait_until_async

SEED = "MFRGGZDFMZTWQ2LKNNWG23TPOBYXE43U"
CORE_FILE = Allowed(
    "core token", "core/core.json", "where clients find it; 0600, gone when the core ends"
)
KEYS = (
    Allowed("master key", "core.key", "the key file that the operator chose; 0600"),
    Allowed("agent key", "agent/agent-key", "the agent's own key; 0600"),
)


@dataclass
class Plot:
    """The system, and every secret that was put into it."""

    system: System
    known: dict[str, str | bytes] = field(default_factory=dict)
    watcher: Paired | None = None
    """A second desktop, that may read the agent's HTTP API."""

    def plant(self, name: str, kind: str = "") -> str:
        """Make a secret that no encoding leaves as it is, and remember it."""
        secret = f'{kind}{secrets.token_hex(6)}&"ä/+% {secrets.token_hex(6)}'
        self.known[name] = secret
        return secret

    def member(self, username: str) -> Member:
        """An account with a canary in every field."""
        password, proxy_word = self.plant(f"password of {username}"), secrets.token_hex(12)
        self.known[f"proxy password of {username}"] = proxy_word
        seed = SEED[:-4] + secrets.choice("ABCDEFGH") * 2 + SEED[-2:]
        self.known[f"seed of {username}"] = seed
        self.system.practice.add_proxy(username, username, proxy_word)
        url = self.system.practice.proxy_url.replace("http://", f"http://{username}:{proxy_word}@")
        return Member(username=username, password=password, totp_seed=seed, proxy=url)

    @property
    def canaries(self) -> Canaries:
        """All that was planted so far."""
        return Canaries(self.known)

    def check_processes(self) -> None:
        """Nothing in an argument list or environment of ours, browsers included."""
        pids = [self.system.core.process.pid, self.system.agent.process.pid]
        assert self.canaries.in_processes(pids) == []


@pytest.fixture
def plot(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Plot]:
    """A system whose temporary files can be searched as well."""
    folder = tmp_path_factory.mktemp("s")  # short: a browser's socket lies in the folder below
    temporary = folder / "t"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    with running_system(folder, browser_slots="1") as system:
        yield Plot(system)


@pytest.mark.browser
@pytest.mark.timeout(240)
async def test_no_secret_lies_or_shows_anywhere(plot: Plot) -> None:
    system = plot.system
    async with system.core.client() as client:
        await _pair(plot, client)
        members = [plot.member("gull"), plot.member("heron"), plot.member("plover")]
        system.practice.seed([member.seed() for member in members])
        await _import(plot, client, members)
        await _go_wrong_at_sign_in(plot, client)
        items = await system.sign_in(client, ["gull", "heron", "plover"])
        states = {item.username: (item.state, item.error) for item in items}
        assert states["gull"] == states["heron"] == (ItemState.DONE, None), states
        plot.check_processes()
        runs = await _publish_with_trouble(plot, client)
        await _search_answers(plot, client, runs)
    plot.known["core token"] = system.core.endpoint.token.get_secret_value()
    plot.check_processes()
    await _kill(system)
    await _learn_what_was_made(plot)
    assert plot.canaries.in_files(system.folder, [*KEYS, CORE_FILE]) == []

    # Once more after all of it has come up again and has ended politely.
    system.restart_agent()
    system.reopen_core()
    assert system.core.stop() == 0
    assert system.agent.stop() == 0
    assert plot.canaries.in_files(system.folder, KEYS) == []


async def _kill(system: System) -> None:
    """End both at once. Nothing that the agent had started, browsers included, lives on."""
    children = psutil.Process(system.agent.process.pid).children(recursive=True)
    assert any("chrom" in child.name() for child in children)
    system.core.kill()
    system.agent.kill()
    await wait_until_async(
        lambda: all(has_ended(child) for child in children),
        "the end of runners and browser",
        seconds=30,
    )


async def _pair(plot: Plot, client: CoreClient) -> None:
    line = plot.system.agent.pair_line()
    plot.known["pairing code"] = parse_pairing_line(line).code
    await plot.system.pair(client, line)
    other = plot.system.agent.pair_line()
    plot.known["second pairing code"] = parse_pairing_line(other).code
    plot.watcher = await pair(other)
    plot.known["token of a watcher"] = plot.watcher.token


async def _import(plot: Plot, client: CoreClient, members: list[Member]) -> None:
    """The same import with a slip first: its problems must not repeat what was typed."""
    await plot.system.bring_in(client, members[:1])
    await plot.system.bring_in(client, members[1:2], DriverName.BROWSER)
    wrong = plot.plant("wrong password of plover")
    await plot.system.bring_in(
        client, [Member(username="plover", password=wrong, proxy=members[2].proxy)]
    )


async def _go_wrong_at_sign_in(plot: Plot, client: CoreClient) -> None:
    items = await plot.system.sign_in(client, ["plover"])
    assert states_of(items) == {ItemState.FAILED: 1}


async def _publish_with_trouble(plot: Plot, client: CoreClient) -> list[str]:
    """Upload through both drivers: refused, in doubt, paused, cancelled and retried posts."""
    system, names = plot.system, ["gull", "heron"]
    photos = await system.photos(client, 4)
    system.practice.fault("refuse_status", CONFIGURE, account="gull", status=400,
                          body={"message": "feedback_required", "status": "fail"})  # fmt: skip
    first = await system.upload(client, names, photos[:2])
    await system.until_done(client, first, 1)
    plot.check_processes()
    await system.control(client, first, "pause")
    await system.control(client, first, "resume")
    await system.until_nothing_moves(client, first)
    await system.control(client, first, "retry")
    await system.until_nothing_moves(client, first)

    assert system.published("gull")
    assert system.published("heron")
    system.practice.revoke_sessions("heron")
    system.practice.fault("drop_after_apply", CONFIGURE, account="gull")
    second = await system.upload(client, names, photos[2:])
    await system.until_nothing_moves(client, second)
    await system.control(client, second, "retry")
    await system.control(client, second, "cancel")
    await system.until_nothing_moves(client, second)
    return [first, second]


async def _search_answers(plot: Plot, client: CoreClient, runs: list[str]) -> None:
    """What the two HTTP APIs say to those who may ask."""
    shown = [text async for text in _core_answers(client, runs)]
    assert plot.watcher
    async with plot.watcher.client() as http:
        for path in ("/api/v1/health", "/api/v1/metrics", "/api/v1/health/simple"):
            answer = await http.get(path)
            assert answer.is_success, path
            shown.append(answer.content)
    assert len(shown) > 10
    assert [hit for text in shown for hit in sorted(plot.canaries.found_in(text))] == []


async def _core_answers(client: CoreClient, runs: list[str]) -> AsyncIterator[bytes]:
    """Every answer that only reads, as it crosses the wire."""
    endpoint = client.endpoint
    token = {"Authorization": f"Bearer {endpoint.token.get_secret_value()}"}
    paths = [routes.HEALTH, routes.OVERVIEW, routes.ACCOUNTS, routes.PROXIES, routes.AGENTS]
    paths += [routes.MEDIA, routes.RUNS, routes.TASK_TYPES]
    for run_id in runs:
        of_run = [routes.RUN, routes.RUN_ITEMS, routes.RUN_LOG]
        paths += [path.format(run_id=run_id) for path in of_run]
        rows = (await client.run_items(run_id)).rows
        paths += [routes.ITEM_LEDGER.format(item_id=row.id) for row in rows]
    async with httpx.AsyncClient(
        base_url=endpoint.url,
        headers=token,
        trust_env=False,
        verify=False,  # noqa: S501
    ) as http:
        for path in paths:
            answer = await http.get(path)
            assert answer.is_success, path
            yield answer.content


async def _learn_what_was_made(plot: Plot) -> None:
    """Read from the killed core's own store what nobody could plant: sessions, tokens, keys."""
    data = plot.system.core.data
    master = data.with_name(f"{data.name}.key").read_bytes().strip()
    plot.known |= {"master key": base64.b64decode(master)}
    plot.known |= {"agent key": (plot.system.agent.data / "agent-key").read_bytes()}
    with contextlib.closing(await asyncio.to_thread(open_store, data)) as store:
        vault, agent_id = store.vault, plot.system.agent.agent_id
        token = await store.read(partial(agents.token, vault=vault, agent_id=agent_id))
        plot.known["agent token"] = token.get_secret_value()
        rows, _ = await store.read(partial(accounts.page, query=AccountQuery()))
        ids = {row.username: row.id for row in rows}
        for username, driver in (
            ("gull", DriverName.PRIVATE_API),
            ("heron", DriverName.BROWSER),
            ("plover", DriverName.PRIVATE_API),
        ):
            access = await store.read(
                partial(specs.account_access, vault=vault, account_id=ids[username], driver=driver)
            )
            if access.session is None:
                continue
            for number, value in enumerate(
                _session_ids(json.loads(access.session.get_secret_value()))
            ):
                plot.known[f"session of {username}" + f" {number}" * bool(number)] = value
    assert {"session of gull", "session of heron"} <= plot.known.keys()


def _session_ids(state: Any, name: str = "") -> Iterator[str]:
    """Yield what signs an account in: the platform's session ids, wherever they stand."""
    if isinstance(state, dict):
        named = str(state.get("name", ""))
        for key, value in state.items():
            yield from _session_ids(value, named if key == "value" and named else str(key))
    elif isinstance(state, list):
        for value in state:
            yield from _session_ids(value, name)
    elif isinstance(state, str) and name.lower() in {"sessionid", "authorization"} and state:
        yield state
