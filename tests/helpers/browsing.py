"""What tests in a browser share."""

import os
from pathlib import Path

from selenium.webdriver.support.ui import WebDriverWait


def shot(browser, name):
    if folder := os.environ.get("BROWSER_SHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        browser.save_screenshot(str(Path(folder) / f"{name}.png"))


def until(browser, script, *arguments):
    """Wait until a script gives something true, and return it."""
    return WebDriverWait(browser, 60).until(lambda driver: driver.execute_script(f"return {script}", *arguments))


def resized(browser, width, height=900):
    """Make the page as wide as that; windows do not become as narrow as a telephone."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
