"""Reads a locale's selectors and finds elements by them. Decides nothing about a page."""

import tomllib
from importlib.resources import files
from typing import Any

from playwright.async_api import FrameLocator, Locator, Page
from pydantic import BaseModel, ConfigDict, model_validator

from common.domain.accounts import Platform
from common.domain.content import PostKind


class Target(BaseModel):
    """How to find one element: by label, by role and name, by text, or by CSS."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: str = ""
    role: str = ""
    name: str = ""
    text: str = ""
    css: str = ""

    @model_validator(mode="after")
    def _has_one_way(self) -> "Target":
        if sum(map(bool, (self.label, self.role, self.text, self.css))) != 1:
            raise ValueError("a target is found by one of label, role, text or css")
        return self


class Alert(BaseModel):
    """Words of an alert, and the error code that they stand for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    contains: list[str]
    means: str


class Routes(BaseModel):
    """Paths of the platform's pages."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    home: str
    sign_in: str
    challenge: list[str]
    publish: list[str]
    """Paths of the request that makes a post visible."""
    profile: str
    """Where an account's posts are listed; `{username}` stands for whose."""
    post: str
    """A post's page; `{code}` stands for its short code."""


class Vocabulary(BaseModel):
    """Everything that the pages of one platform say in one locale."""

    model_config = ConfigDict(frozen=True)

    read_on: str
    locale: str
    targets: dict[str, Target]
    routes: Routes
    alerts: list[Alert]
    kinds: dict[str, PostKind]
    """What a post's page calls each kind of post."""

    def has(self, name: str) -> bool:
        """Say whether pages of this platform show the element called `name` at all."""
        return name in self.targets

    def find(self, scope: Page | Locator | FrameLocator, name: str, **values: str) -> Locator:
        """Return the element called `name` within `scope`; `values` fill its placeholders."""
        target = self.targets[name]
        if target.label:
            return scope.get_by_label(target.label, exact=True)
        if target.text:
            return scope.get_by_text(target.text, exact=True)
        if target.css:
            return scope.locator(target.css.format(**values))
        role: Any = target.role
        if target.name:
            return scope.get_by_role(role, name=target.name.format(**values), exact=True)
        return scope.get_by_role(role)

    def meaning_of(self, alert: str) -> str:
        """Return the error code that an alert's text stands for, or nothing."""
        for known in self.alerts:
            if any(words.lower() in alert.lower() for words in known.contains):
                return known.means
        return ""


def load_vocabulary(platform: Platform, locale: str = "en") -> Vocabulary:
    """Read the selectors that this release ships for one platform."""
    text = files("agent.drivers.browser.selectors").joinpath(f"{locale}.toml").read_text("utf-8")
    raw = tomllib.loads(text)
    return Vocabulary(
        read_on=raw["read_on"],
        locale=raw["locale"],
        targets={**raw["shared"], **raw[platform.value]},
        routes=Routes(**raw["routes"]["shared"], **raw["routes"][platform.value]),
        alerts=raw["alerts"],
        kinds=raw["kinds"],
    )
