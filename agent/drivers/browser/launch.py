"""Starting Chromium on an account's profile: arguments, preferences, proxy, sandbox."""

import json
import os
import sys
from pathlib import Path
from typing import Any

from playwright.async_api import BrowserContext, Error, Playwright, ProxySettings

from agent.drivers.browser.executable import require_browser
from agent.drivers.browser.vocabulary import Vocabulary
from agent.drivers.confinement import require_confined
from common.access import AccountAccess, ProxyAccess
from common.domain.accounts import Platform
from common.errors import DriverError, InputError

PROFILE = "browser"
_LAUNCH_MS = 30_000
_NO_SANDBOX = "No usable sandbox"
"""What Chromium says where the system does not let it make one."""
_VIEW = {"width": 1280, "height": 800}
_QUIET = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--no-default-browser-check",
    "--no-first-run",
)
_PRACTICE = (
    "--disable-gpu",
    # Closes what Chromium asks for by itself, too: no name leads anywhere but to this machine.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost, EXCLUDE ::1",
)
_PREFERENCES: dict[str, Any] = {
    "autofill": {"credit_card_enabled": False, "profile_enabled": False},
    "credentials_enable_service": False,
    "profile": {"password_manager_enabled": False, "password_manager_leak_detection": False},
    "safebrowsing": {"enabled": False},
}


async def launch(
    playwright: Playwright,
    account: AccountAccess,
    folder: Path,
    words: Vocabulary,
    *,
    visible: bool,
) -> BrowserContext:
    """Open the account's profile in `folder`.

    Raises InputError where a practice account is not confined to this machine, DriverError where
    Chromium is missing or does not start.
    """
    require_confined(account)
    profile = folder / PROFILE
    _write_preferences(profile)
    practice = account.platform is Platform.PRACTICE
    options: dict[str, Any] = {
        "executable_path": require_browser(),
        "headless": not visible,
        "args": [*_QUIET, *(_PRACTICE if practice else ())],
        "proxy": _proxy(account.proxy),
        # A page's own worker would send requests where nobody sees them.
        "service_workers": "block",
        "viewport": _VIEW,
        "locale": words.locale,
        "timeout": _LAUNCH_MS,
    }
    start = playwright.chromium.launch_persistent_context
    try:
        return await start(profile, chromium_sandbox=sandbox_wanted(account), **options)
    except Error as error:
        if not (practice and _NO_SANDBOX in error.message):
            raise _launch_failed(account, error) from None
    try:
        return await start(profile, chromium_sandbox=False, **options)
    except Error as error:
        raise _launch_failed(account, error) from None


def sandbox_wanted(account: AccountAccess) -> bool:
    """Say whether Chromium runs sandboxed: always, but for practice accounts under root."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return True
    if account.platform is Platform.PRACTICE:
        return False
    raise DriverError(
        "Chromium's sandbox does not work for root, and real accounts never go without it.",
        advice="Run the agent as a user of its own, not as root.",
        subject=account.username,
    )


def _launch_failed(account: AccountAccess, error: Error) -> DriverError:
    if _NO_SANDBOX in error.message:
        return DriverError(
            f"Chromium's sandbox does not work on this machine, so {account.username} was left "
            "alone.",
            advice="Allow unprivileged user namespaces; `flotilla-agent doctor` says how.",
            subject=account.username,
        )
    return DriverError(
        f"Chromium did not start for {account.username}.",
        advice="Run `flotilla-agent doctor` on the worker machine.",
        subject=account.username,
    )


def _proxy(proxy: ProxyAccess | None) -> ProxySettings | None:
    if proxy is None:
        return None
    if proxy.url.startswith("socks") and proxy.username:
        raise InputError(
            "Chromium cannot use a SOCKS proxy that asks for a password.",
            advice="Give the account an HTTP proxy, or one without a password.",
            field="proxy",
        )
    settings = ProxySettings(server=proxy.url)
    if proxy.username:
        settings["username"] = proxy.username
        settings["password"] = proxy.password.get_secret_value() if proxy.password else ""
    return settings


def _write_preferences(profile: Path) -> None:
    """Write the preferences of a new profile; an existing one keeps its own."""
    file = profile / "Default" / "Preferences"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(_PREFERENCES), "utf-8")
