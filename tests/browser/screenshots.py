#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Pictures of the module's page in every state, to be looked at: screenshots.py FOLDER. Phone and desktop, light and
dark, and some in Chinese; the module is the mock one."""

import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import app_image
import sample_files as samples
from browser import DESKTOP, PHONE, Browser
from mock_module import MockModule
from server import wait_until

IMAGE = app_image.make(version="v5.0.1.0", date="Nov  3 2025", data_bytes=1200000)
OURS = {"chip": "esp32c3", "ota_size": 0x1D0000, "restart": True}


class Studio:
    """One page on one module; `take` adds the look to the picture's name."""

    def __init__(self, browser, module, folder, size, look):
        self.browser, self.module, self.folder, self.size, self.look = browser, module, folder, size, look
        self.files = pathlib.Path(tempfile.mkdtemp())

    def open(self):
        self.browser.open(self.module.url)
        self.browser.wait_text("#aps", "Office" if self.module.aps else "")
        self.browser.script("WAIT.poll = 30")

    def take(self, name):
        height = self.browser.script("return document.documentElement.scrollHeight")
        self.browser.set_size((self.size[0], max(height, self.size[1])))
        self.browser.driver.save_screenshot(str(self.folder / f"{name}-{self.look}.png"))
        self.browser.set_size(self.size)

    def choose(self, content, name="ota.bin", target="ota"):
        if self.browser.is_shown("#show-upgrade"):
            self.browser.click("#show-upgrade")
        self.browser.find(f"#target option[value='{target}']").click()
        (self.files / name).write_bytes(content)
        self.browser.script("document.getElementById('file').onclick()")
        self.browser.find("#file").send_keys(str(self.files / name))
        wait_until("a finding", lambda: self.browser.is_shown("#findings li")
                   and not self.browser.is_shown("[data-t=reading]"))

    def pick(self, row):
        self.browser.script("document.querySelectorAll('#aps input')[arguments[0]].click()", row)


def wifi(studio):
    browser, module = studio.browser, studio.module
    module.joins, module.n_polls = ["fail", "ok"], 0
    studio.open()
    studio.take("wifi-list")
    studio.pick(0)
    browser.type("#password", "1234567")
    browser.click("#reveal")
    studio.take("wifi-password")
    browser.type("#password", "wrong password")
    browser.click("#connect")
    wait_until("a result", lambda: browser.is_shown("#wifi-note.bad"))
    studio.take("wifi-failed")
    module.n_polls = 1 << 30
    browser.click("#connect")
    wait_until("progress", lambda: browser.is_shown("#wifi-note progress"))
    studio.take("wifi-connecting")
    module._polls_left = 0
    wait_until("a result", lambda: browser.is_shown("#wifi-note.ok"))
    studio.take("wifi-joined")
    studio.pick(5)
    browser.type("#ssid", "客厅" * 6)
    studio.take("wifi-hidden")


def upgrade(studio):
    browser, module = studio.browser, studio.module
    studio.open()
    studio.choose(IMAGE)
    studio.take("file-good")
    studio.choose(app_image.make(chip="esp32c6", version="v5.0.1.0"))
    studio.take("file-wrong-chip" if module.extra else "file-other-chip")
    studio.choose(samples.WRONG["esp-at.elf"][0], "esp-at.elf")
    studio.take("file-elf")
    studio.choose(app_image.make(version="v3.2.0.0", project="blink"))
    studio.take("file-doubted")
    studio.choose(samples.nvs_page(), "mfg_nvs.bin", "mfg_nvs")
    studio.take("partition")
    module.is_upload_refused = True
    browser.click("#send")
    wait_until("a result", lambda: browser.is_shown("#upgrade-note.bad"))
    studio.take("partition-refused")
    module.is_upload_refused = False


def send(studio):
    browser, module = studio.browser, studio.module
    studio.open()
    module.pause_upload_at = 100000
    studio.choose(b"\xeb\x3c\x90" * 5000000, "fs.bin", "fs_storage")
    browser.click("#send")
    wait_until("a share", lambda: browser.is_shown("#upgrade-note progress[value]"))
    studio.take("sending")
    module.go_on.set()
    wait_until("the end", lambda: browser.is_shown("#upgrade-note.ok"))
    studio.take("partition-stored")
    module.go_on.clear()
    module.pause_upload_at = 1 << 30
    studio.choose(IMAGE)
    browser.click("#send")
    wait_until("the verdict", lambda: browser.is_shown("[data-t=verifying]"))
    studio.take("verifying")
    module.go_on.set()
    wait_until("the end", lambda: browser.is_shown("#upgrade-note.ok"))
    studio.take("stored")
    if module.extra:
        module.next_version = "v5.0.1.0"
        browser.click("#upgrade-note button")
        wait_until("the end", lambda: browser.is_shown("#upgrade-note.ok") and "v5.0.1.0" in browser.text("header"))
        studio.take("restarted")
    module.cut_upload_at = 100000
    browser.click("#send")
    wait_until("the end", lambda: browser.is_shown("#upgrade-note.bad"))
    studio.take("lost")


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with Browser(pathlib.Path(tempfile.mkdtemp())) as browser:
        for look, size, is_dark, language, extra in (
                ("phone-light", PHONE, False, "en-US", OURS), ("phone-dark", PHONE, True, "en-US", {}),
                ("desktop-light", DESKTOP, False, "en-US", {}), ("desktop-dark", DESKTOP, True, "en-US", OURS),
                ("phone-chinese", PHONE, False, "zh-CN", {}), ("small-light", (320, 568), False, "en-US", OURS)):
            for story in (wifi, upgrade, send):
                browser.reset(size)
                browser.set_dark(is_dark)
                browser.set_language(language)
                with MockModule(extra=extra) as module:
                    story(Studio(browser, module, folder, size, look))
                    browser.open("about:blank")


if __name__ == "__main__":
    main()
