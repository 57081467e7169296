"""The web example and the site in a real browser: ``make test-browser``."""

import os
import shutil
import time
from collections.abc import Generator, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Final

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from langchain_modelstudio import ChatModelStudio
from modelstudio_core.emulator import Emulator
from tests.documentation.example_files import load_example
from tests.support.fault_server import FaultServer, prompt
from tests.support.models import KEY
from tests.support.pages import ROOT
from tests.support.web_server import serve_app

SITE: Final = ROOT / "build" / "site"
BROWSER: Final = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER: Final = shutil.which("chromedriver")
WIDTHS: Final = (390, 1280)
SCHEMES: Final = ("light", "dark")

pytestmark = [
    pytest.mark.skipif(
        not os.environ.get("MODELSTUDIO_BROWSER"),
        reason="a browser is driven by `make test-browser`",
    ),
    pytest.mark.skipif(
        not (BROWSER and DRIVER),
        reason="chromium and chromedriver are not installed",
    ),
]


@pytest.fixture(scope="module")
def browser() -> Generator[Chrome]:
    options = ChromeOptions()
    options.binary_location = BROWSER or ""
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    chrome = Chrome(options=options, service=Service(DRIVER))
    yield chrome
    chrome.quit()


@pytest.fixture(scope="module")
def site() -> Generator[str]:
    """Serve the built site."""
    if not SITE.is_dir():
        pytest.skip("build/site is not there: `make docs` makes it")

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Print nothing."""

    handler = partial(Quiet, directory=str(SITE))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def pages() -> Iterator[str]:
    for path in sorted(SITE.rglob("*.html")):
        yield path.relative_to(SITE).as_posix()


def set_window(browser: Chrome, width: int, scheme: str) -> None:
    """Set the width of the page and the scheme that its user prefers."""
    metrics = {
        "width": width,
        "height": 900,
        "deviceScaleFactor": 1,
        "mobile": width < 500,
    }
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})


def wait_for(browser: Chrome, condition: str) -> None:
    """Wait until an expression of JavaScript is true."""
    WebDriverWait(browser, 15).until(
        lambda driver: driver.execute_script(f"return Boolean({condition})")
    )


def errors_of(browser: Chrome) -> list[Any]:
    """Return the errors of the console since the last call."""
    driver: Any = browser
    return [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]


def text_of(browser: Chrome, name: str) -> str:
    return str(browser.find_element(By.ID, name).get_property("textContent"))


# --- The web example --------------------------------------------------------------


def ask(browser: Chrome, address: str, question: str) -> None:
    browser.get(address)
    field = browser.find_element(By.ID, "question")
    field.clear()
    field.send_keys(question)
    browser.find_element(By.ID, "ask").click()


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_shows_reasoning_answer_and_citations(
    browser: Chrome,
    modelstudio_emulator: Emulator,
    monkeypatch: pytest.MonkeyPatch,
    width: int,
    scheme: str,
) -> None:
    example = load_example("web/app.py", monkeypatch)
    model = example["make_model"](
        base_url=modelstudio_emulator.base_url, api_key=modelstudio_emulator.api_key
    )
    set_window(browser, width, scheme)
    with serve_app(example["make_app"](model)) as address:
        ask(browser, address, "The tower is red. What is red?")
        wait_for(browser, "document.querySelector('#state').textContent")
        assert "The user asks" in text_of(browser, "reasoning")
        assert text_of(browser, "answer") == "The tower is red."
        links = browser.find_elements(By.CSS_SELECTOR, "#citations a")
        assert [link.get_attribute("rel") for link in links] == [
            "noopener noreferrer"
        ] * 2
        assert text_of(browser, "error") == ""
        check_no_overflow(browser, width)
        browser.get("about:blank")


def test_the_stop_button_ends_the_request_to_the_service(
    browser: Chrome, monkeypatch: pytest.MonkeyPatch
) -> None:
    example = load_example("web/app.py", monkeypatch)
    with FaultServer() as server:
        model = ChatModelStudio(
            model="qwen3.7-plus", base_url=server.base_url, api_key=KEY
        )
        with serve_app(example["make_app"](model)) as address:
            ask(browser, address, prompt("slow", pieces=1000, pause=0.02))
            wait_for(browser, "document.querySelector('#answer').textContent.length")
            assert server.log.abandoned == []
            browser.find_element(By.ID, "stop").click()
            wait_for(
                browser, "document.querySelector('#state').textContent == 'stopped'"
            )
            deadline = time.monotonic() + 5
            while not server.log.abandoned and time.monotonic() < deadline:
                time.sleep(0.01)
            browser.get("about:blank")
    assert server.log.abandoned == ["slow"]


# --- The site ---------------------------------------------------------------------


def check_no_overflow(browser: Chrome, width: int) -> None:
    """Check that the page does not scroll sideways; its tables do by themselves."""
    wide = browser.execute_script("return document.documentElement.scrollWidth")
    assert wide <= width, f"{browser.current_url} is {wide} pixels wide"


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_scrolls_sideways(
    browser: Chrome, site: str, width: int, scheme: str
) -> None:
    set_window(browser, width, scheme)
    errors_of(browser)
    for page in pages():
        browser.get(f"{site}/{page}")
        check_no_overflow(browser, width)
        assert errors_of(browser) == [], page


def test_the_scheme_follows_the_user(browser: Chrome, site: str) -> None:
    seen: set[str] = set()
    for scheme in SCHEMES:
        set_window(browser, 1280, scheme)
        browser.get(f"{site}/index.html")
        browser.execute_script("localStorage.clear()")
        browser.get(f"{site}/index.html")
        style = "getComputedStyle(document.body).backgroundColor"
        seen.add(str(browser.execute_script(f"return {style}")))
    assert len(seen) == 2


def test_code_is_copied_with_one_click(browser: Chrome, site: str) -> None:
    set_window(browser, 1280, "light")
    permission = {"origin": site, "permissions": ["clipboardReadWrite"]}
    browser.execute_cdp_cmd("Browser.grantPermissions", permission)
    browser.get(f"{site}/index.html")
    wait_for(browser, "document.querySelector('.language-python .md-code__button')")
    code = browser.find_element(By.CSS_SELECTOR, ".language-python code")
    button = browser.find_element(By.CSS_SELECTOR, ".language-python .md-code__button")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", button)
    button.click()
    read = "navigator.clipboard.readText().then(arguments[0])"
    copied = str(browser.execute_async_script(read))
    assert copied.strip() == code.text.strip()
    assert copied.startswith("from langchain_modelstudio import ChatModelStudio\n")


@pytest.mark.parametrize(
    ("query", "page"),
    [
        ("wrong region", "regions.html"),
        ("reasoning_content", "thinking.html"),
        ("batch", "batches.html"),
    ],
)
def test_the_search_finds_a_page(
    browser: Chrome, site: str, query: str, page: str
) -> None:
    set_window(browser, 1280, "light")
    browser.get(f"{site}/index.html")
    button = browser.find_element(By.CSS_SELECTOR, "button.md-search__button")
    wait_for(browser, "document.readyState == 'complete'")
    button.click()
    time.sleep(1)
    browser.switch_to.active_element.send_keys(query)
    found = """
        const links = (node) => [...node.querySelectorAll("*")].flatMap((one) =>
            [...(one.tagName == "A" ? [one.href] : []),
             ...(one.shadowRoot ? links(one.shadowRoot) : [])]);
        return links(document).filter((link) => link.includes("?h="));
    """
    WebDriverWait(browser, 15).until(
        lambda driver: any(page in link for link in driver.execute_script(found))
    )
