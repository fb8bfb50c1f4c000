import json
import shutil

import pytest
from selenium import webdriver


@pytest.fixture
def browser(tmp_path):
    """Headless Chromium, from files, without a network; at the end, no error and no request for anything else."""
    binary = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    assert binary, "Chromium must be installed, as Debian's package chromium."
    assert driver, "Its driver must be installed, as Debian's package chromium-driver."
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for argument in (
        "--headless",
        "--no-sandbox",
        "--enable-unsafe-swiftshader",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--host-resolver-rules=MAP * ~NOTFOUND",
        "--window-size=1500,1000",
        f"--user-data-dir={tmp_path / 'profile'}",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    chromium = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    # Without a graphics card, a page takes long to draw on a busy machine.
    chromium.set_script_timeout(120)
    try:
        yield chromium
        assert [entry["message"][:300] for entry in chromium.get_log("browser") if entry["level"] == "SEVERE"] == []
        events = [json.loads(entry["message"])["message"] for entry in chromium.get_log("performance")]
        asked = {
            event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"
        }
        assert any(url.startswith("file:") for url in asked)
        # Chromium's own first page is chrome:, and parts of it chrome-untrusted:.
        own = "file:", "data:", "blob:", "chrome:", "chrome-untrusted:"
        assert {url[:60] for url in asked if not url.startswith(own)} == set()
    finally:
        chromium.quit()
