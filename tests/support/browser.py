# SPDX-License-Identifier: Apache-2.0
"""Debian's Chromium, driven by selenium, with waits for what a person would see."""

import functools

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

from server import wait_until

PHONE, DESKTOP = (390, 844), (1280, 800)
FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
         "--window-size=1400,1000"]


class Browser:
    def __init__(self, folder):
        options = Options()
        options.binary_location = "/usr/bin/chromium"
        for flag in FLAGS + [f"--user-data-dir={folder}/profile"]:
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self._start = functools.partial(webdriver.Chrome, options=options,
                                        service=Service("/usr/bin/chromedriver", log_path=f"{folder}/driver.log"))
        self.driver = None

    def __enter__(self):
        self.driver = self._start()
        return self

    def __exit__(self, *_):
        self.driver.quit()

    # -- window ----------------------------------------------------------------------------------

    def reset(self, size):
        """Leave the page; the window gets a size in CSS pixels, English and light colours."""
        self.driver.get("about:blank")
        self.set_size(size)
        self.set_language("en-US")
        self.set_dark(False)
        self.errors()

    def _cdp(self, command, **values):
        return self.driver.execute_cdp_cmd(command, values)

    def set_size(self, size):
        self._cdp("Emulation.setDeviceMetricsOverride", width=size[0], height=size[1], deviceScaleFactor=1,
                  mobile=size[0] < 600)

    def set_dark(self, is_dark):
        self._cdp("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": "dark" if is_dark else "light"}])

    def set_language(self, language):
        agent = self._cdp("Browser.getVersion")["userAgent"]
        self._cdp("Emulation.setUserAgentOverride", userAgent=agent, acceptLanguage=language)

    def is_wider_than_window(self):
        return self.script("return document.documentElement.scrollWidth > innerWidth")

    # -- page ------------------------------------------------------------------------------------

    def open(self, url):
        self.driver.get(url)

    def script(self, text, *args):
        return self.driver.execute_script(text, *args)

    def find(self, css):
        return self.driver.find_element(By.CSS_SELECTOR, css)

    # In one step inside the page: elements may be replaced between two steps of ours.

    def is_shown(self, css):
        return self.script("return [...document.querySelectorAll(arguments[0])].some(e => e.checkVisibility())", css)

    def text(self, css):
        """Visible text of all that match, without the marks that isolate outside text."""
        return self.script("return [...document.querySelectorAll(arguments[0])].filter(e => e.checkVisibility())"
                           ".map(e => e.innerText.trim()).join('\\n').replace(/[\\u2068\\u2069]/g, '')", css)

    def wait_text(self, css, words, seconds=20):
        """Until the words stand in what matches; all its text."""
        return wait_until(f"{words!r} in {css}",
                          lambda: words in self.text(css) and self.text(css), seconds)

    def click(self, css):
        self.find(css).click()

    def click_text(self, css, words):
        """Click the one of those that match which shows these words."""
        element = self.script("return [...document.querySelectorAll(arguments[0])].find("
                              "e => e.checkVisibility() && e.innerText.includes(arguments[1]))", css, words)
        assert element, f"nothing in {css} shows {words!r}: {self.text(css)!r}"
        element.click()

    def type(self, css, text):
        element = self.find(css)
        element.clear()
        element.send_keys(text)

    def errors(self):
        """What the page complained about in the console since the last call."""
        return [line["message"] for line in self.driver.get_log("browser") if line["level"] == "SEVERE"]
