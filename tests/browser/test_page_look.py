# SPDX-License-Identifier: Apache-2.0
"""What belongs to the page as a whole: languages, widths, colours, names of controls, what it loads."""

import re

import app_image
import pytest
from browser import DESKTOP, PHONE
from mock_module import PAGE
from server import wait_until

CJK = re.compile("[\u4e00-\u9fff]")


def open_page(browser, module):
    browser.open(module.url)
    browser.wait_text("#aps", "Office")


@pytest.mark.parametrize("language, lang, title", [("zh-CN", "zh-CN", "模组设置"), ("zh-TW", "zh-CN", "模组设置"),
                                                   ("en-US", "en", "Module set-up"), ("de-DE", "en", "Module set-up")])
def test_the_browser_chooses_the_language(browser, stock, language, lang, title):
    browser.set_language(language)
    open_page(browser, stock)
    assert browser.script("return [document.documentElement.lang, document.title]") == [lang, title]
    assert browser.text("h1") == title


def test_the_switch_changes_every_word_and_keeps_what_was_entered(browser, stock, tmp_path):
    browser.set_size(DESKTOP)
    open_page(browser, stock)
    browser.click_text("#aps label", "Office")
    browser.type("#password", "correct horse")
    (tmp_path / "ota.bin").write_bytes(app_image.make(version="v5.0.1.0"))
    browser.find("#file").send_keys(str(tmp_path / "ota.bin"))
    browser.wait_text("#findings", "Complete")
    browser.click("#language")
    assert browser.text("#language") == "English"
    assert browser.text("#connect") == "连接" and browser.text("#send") == "发送到模组"
    left = browser.script("return [...document.querySelectorAll('[data-t]')].map(e => e.textContent)")
    assert [words for words in left if words and not CJK.search(words)] == ["English", "Wi-Fi", "Wi-Fi"]
    browser.click("#connect")
    browser.wait_text("#wifi-note", "已连接到 Office")
    browser.click("#language")
    browser.wait_text("#wifi-note", "Connected to Office")


def test_every_word_has_two_languages_with_the_same_blanks(browser, stock):
    open_page(browser, stock)
    words = browser.script("return Object.entries(WORDS)")
    assert len(words) > 100
    for key, translations in words:
        assert len(translations) == 2 and all(translations), key
        blanks = [sorted(re.findall(r"\{\d\}", text)) for text in translations]
        assert blanks[0] == blanks[1], key
    used = set(re.findall(r"[\w]+", PAGE.read_text("utf-8").split("const WAIT")[1] + PAGE.read_text("utf-8").split("<script>")[0]))
    unused = {key for key, _ in words if key not in used and not key.endswith("More")}
    assert unused == set()


@pytest.mark.parametrize("width", [320, 360, 390, 768, 959, 960, 1280])
def test_nothing_is_wider_than_the_window(browser, stock, tmp_path, width):
    stock.aps = [("W" * 32, 3), ("客厅" * 5, 5), ("Office", 3)]
    stock.partitions = ["ota", "W" * 16]
    stock.version = "v4.0.0.0-" + "w" * 22
    browser.set_size((width, 700))
    open_page(browser, stock)
    browser.click_text("#aps label", "W" * 32)
    assert not browser.is_wider_than_window()
    if browser.is_shown("#show-upgrade"):
        browser.click("#show-upgrade")
    name = "a-rather-long-file-name-" + "w" * 60 + ".bin"
    (tmp_path / name).write_bytes(app_image.make(version="w" * 32, project="p" * 32))
    browser.find("#file").send_keys(str(tmp_path / name))
    browser.wait_text("#findings", "Not AT firmware")
    browser.click("#send")
    browser.wait_text("#upgrade-note", "Stored")
    assert not browser.is_wider_than_window()


def test_a_phone_shows_one_card_and_a_desktop_both(browser, stock):
    open_page(browser, stock)
    assert browser.is_shown("#wifi") and not browser.is_shown("#upgrade")
    browser.click("#show-upgrade")
    assert browser.is_shown("#upgrade") and not browser.is_shown("#wifi")
    assert browser.find("#show-upgrade").get_attribute("aria-pressed") == "true"
    browser.set_size(DESKTOP)
    assert browser.is_shown("#upgrade") and browser.is_shown("#wifi") and not browser.is_shown("nav")


def test_controls_are_large_enough_for_fingers(browser, stock):
    browser.set_size(PHONE)
    open_page(browser, stock)
    browser.click_text("#aps label", "Office")
    for css in ("#scan", "#password", "#reveal", "#connect", "#language", "#show-upgrade", "#aps label"):
        assert browser.find(css).size["height"] >= 44, css


def test_every_control_has_a_name_and_can_be_reached_by_keys(browser, stock):
    browser.set_size(DESKTOP)
    open_page(browser, stock)
    browser.click_text("#aps label", "Hidden")
    for element in browser.driver.find_elements("css selector", "button, input, select"):
        assert not element.is_displayed() or element.accessible_name.strip(), element.get_attribute("outerHTML")
    browser.click("h1")  # the start of the walk
    order = []
    for _ in range(8):
        browser.script("return document.activeElement").send_keys("\ue004")  # Tab
        order.append(browser.script("return document.activeElement.id || document.activeElement.name"))
    assert order == ["language", "scan", "ap", "ssid", "password", "reveal", "target", "file"]


def test_results_are_announced_and_take_the_focus(browser, stock):
    open_page(browser, stock)
    browser.click_text("#aps label", "Guests")
    browser.click("#connect")
    browser.wait_text("#wifi-note", "Connected to Guests")
    assert browser.script("return document.activeElement.id") == "wifi-note"
    assert [browser.find(css).get_attribute("role") for css in ("#wifi-note", "#upgrade-note")] == ["status"] * 2
    assert browser.find("#findings").get_attribute("aria-live") == "polite"


def luminance(color):
    channels = [int(color[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("is_dark", [False, True])
def test_contrast_is_that_of_wcag_aa(browser, stock, is_dark):
    browser.set_dark(is_dark)
    open_page(browser, stock)
    names = ["bg", "card", "tint", "text", "soft", "edge", "accent", "on-accent", "ok", "warn", "bad"]
    values = browser.script("const style = getComputedStyle(document.documentElement); return arguments[0].map("
                            "name => style.getPropertyValue('--' + name).trim())", names)
    colors = {name: "#" + "".join(c * 2 for c in value[1:]) if len(value) == 4 else value
              for name, value in zip(names, values)}
    pairs = [(front, back, 4.5) for front in ("text", "soft", "accent", "ok", "warn", "bad") for back in ("card", "tint")]
    pairs += [("text", "bg", 4.5), ("soft", "bg", 4.5), ("on-accent", "accent", 4.5), ("edge", "card", 3)]
    for front, back, least in pairs:
        high, low = sorted((luminance(colors[front]), luminance(colors[back])), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= least, (front, back)
    dark_card = luminance(colors["card"]) < 0.1
    assert dark_card == is_dark


def test_the_page_asks_only_for_what_stock_answers_and_loads_nothing(browser, stock):
    open_page(browser, stock)
    assert [request[1] for request in stock.requests] == ["/", "/getotainfo", "/getstainfo", "/getaprecord"]
    assert browser.script("return performance.getEntriesByType('resource').map(e => new URL(e.name).pathname).sort()") == [
        "/getaprecord", "/getotainfo", "/getstainfo"]
    assert browser.errors() == []


def test_leaving_during_an_upload_is_asked_about(browser, stock, tmp_path):
    stock.pause_upload_at = 1 << 30
    browser.set_size(DESKTOP)
    open_page(browser, stock)
    (tmp_path / "ota.bin").write_bytes(app_image.make())
    browser.find("#file").send_keys(str(tmp_path / "ota.bin"))
    wait_until("the file is checked", browser.find("#send").is_enabled)
    browser.click("#send")
    browser.wait_text("#upgrade-note", "verifies")
    assert browser.script("const leave = new Event('beforeunload', {cancelable: true});"
                          "dispatchEvent(leave); return leave.defaultPrevented")
    stock.go_on.set()
    browser.wait_text("#upgrade-note", "Stored")
    assert not browser.script("const leave = new Event('beforeunload', {cancelable: true});"
                              "dispatchEvent(leave); return leave.defaultPrevented")
