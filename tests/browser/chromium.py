"""Debian's Chromium under Playwright, and pages that fail the test by themselves.

A page made by `Desk.open` collects what a person would not see: script errors, messages of
the content security policy, answers of 500 and above, requests that leave the site.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Response, sync_playwright

from tests.browser.site import Site

WIDE, NARROW = 1440, 390
HEIGHTS = {WIDE: 900, NARROW: 844, 1366: 768, 1920: 1080}
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--lang=zh-CN",
    "--accept-lang=zh-CN",
]
AXE_OPTIONS = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21aa", "best-practice"]}}


@contextmanager
def chromium() -> Iterator[Browser]:
    """The machine's Chromium; the test fails where there is none (waive it with --waive-browser)."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.fail("Chromium is missing: apt-get install chromium, or run with --waive-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Desk:
    """Opens pages of one site as one person after another, and remembers what went wrong on them."""

    site: Site
    browser: Browser
    faults: list[str] = field(default_factory=list)
    _states: dict[str, Any] = field(default_factory=dict)
    _contexts: list[BrowserContext] = field(default_factory=list)

    def open(self, login: str = "", *, width: int = WIDE, language: str = "zh") -> Page:
        """A page, signed in as `login` (a demo login), reading `language`."""
        context = self.browser.new_context(
            base_url=self.site.url,
            viewport={"width": width, "height": HEIGHTS[width]},
            timezone_id="Asia/Shanghai",
            storage_state=self._states.get(login),
            has_touch=width < 600,
        )
        context.set_default_timeout(15_000)
        self._contexts.append(context)
        page = context.new_page()
        self._watch(page)
        if login and login not in self._states:
            self._sign_in(page, login)
            self._states[login] = context.storage_state()
        if login:
            self._read(page, language)
        return page

    def close(self) -> None:
        for context in self._contexts:
            context.close()
        self._contexts.clear()

    def _sign_in(self, page: Page, login: str) -> None:
        page.goto("/sign-in/")
        page.locator("input[name=username]").fill(login)
        page.locator("input[name=password]").fill(self.site.password)
        page.locator("main form button").first.click()
        page.wait_for_url(lambda address: "/sign-in" not in address)

    def _read(self, page: Page, language: str) -> None:
        page.goto("/")
        wanted = "en" if language == "en" else "zh-Hans"
        if page.locator("html").get_attribute("lang") != wanted:
            page.locator(".w-language button").click()
            page.wait_for_selector(f"html[lang='{wanted}']")

    def _watch(self, page: Page) -> None:
        note = self.faults.append
        page.on("pageerror", lambda error: note(f"script error on {page.url}: {error}"))
        page.on("console", lambda message: self._heard(page, message.type, message.text))
        page.on("response", self._answered)
        page.on("request", lambda request: self._asked(request.url))

    def _heard(self, page: Page, kind: str, text: str) -> None:
        # A refusal is an answer with a 4xx status, which Chromium also writes to its console.
        if kind == "error" and "Failed to load resource" not in text:
            self.faults.append(f"console on {page.url}: {text}")

    def _answered(self, response: Response) -> None:
        if response.status >= 500:
            self.faults.append(f"{response.status} from {response.url}")

    def _asked(self, address: str) -> None:
        if urlsplit(address).scheme in ("http", "https") and not address.startswith(self.site.url):
            self.faults.append(f"a request left the site: {address}")


def axe_findings(page: Page) -> list[str]:
    """What axe holds against the page as it is now: contrast, landmarks, headings, names of controls."""
    found = Axe().run(page, options=AXE_OPTIONS)
    return [
        f"{page.url} {violation['id']}: {violation['help']}: "
        + " | ".join(node["html"][:140] for node in violation["nodes"][:3])
        for violation in found.response["violations"]
    ]


def overflowing(page: Page) -> list[str]:
    """The elements that make the page itself scroll sideways; frames that scroll inside are fine."""
    return page.evaluate(
        """() => {
          const limit = document.documentElement.clientWidth;
          if (document.documentElement.scrollWidth <= limit) return [];
          return [...document.querySelectorAll('body *')]
            .filter((e) => e.getBoundingClientRect().right > limit + 1 && !e.closest('.w-table-frame, .w-tabs'))
            .slice(0, 5).map((e) => e.outerHTML.slice(0, 140));
        }"""
    )
