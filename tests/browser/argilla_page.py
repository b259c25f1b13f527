"""Argilla's page, driven as an annotator drives it."""

from typing import TYPE_CHECKING, Any

from annotation.server.control import LocalServer

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


def open_dataset(browser: "Browser", server: LocalServer, name: str, dataset: str) -> "Page":
    """Sign in by the page's form and open a dataset from its list."""
    page = browser.new_page(viewport={"width": 1366, "height": 768})
    page.goto(f"{server.url}/sign-in")
    page.locator("input:not([type=password])").first.fill(name)
    (password,) = (server.home / "users").glob(f"*/{name}.password")
    page.locator("input[type=password]").fill(password.read_text().strip())
    page.keyboard.press("Enter")
    page.get_by_text(dataset, exact=True).first.click()
    page.locator(".text_field_component").first.wait_for()
    return page


def question(page: "Page", name: str) -> Any:
    return page.locator(f"[aria-label='Question: {name}']")


def submit(page: "Page", *, by_mouse: bool = False) -> None:
    """Submit, and wait until the next row is there or none is left."""
    with page.expect_response(lambda answer: "/responses" in answer.url and answer.request.method == "POST") as told:
        if by_mouse:
            page.get_by_role("button", name="Submit").click()
        else:
            page.keyboard.press("Enter")
    assert told.value.ok
    page.wait_for_timeout(700)
