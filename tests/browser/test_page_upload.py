# SPDX-License-Identifier: Apache-2.0
"""Sending a file: progress, the module's verdict, lost connections, the restart (facts/at-commands.md 3.2, 3.3)."""

import app_image
import pytest
import sample_files as samples
from browser import DESKTOP, PHONE
from server import wait_until

NOTE = "#upgrade-note"
OLD, NEW = "v4.0.0.0", "v5.0.1.0"
IMAGE = app_image.make(version=NEW, data_bytes=1200000)


@pytest.fixture
def begin(browser, tmp_path):
    """begin(module): open the upgrade card and send a file."""
    def do(module, content=IMAGE, target="ota", name="ota.bin"):
        browser.open(module.url)
        browser.wait_text("header", module.version)
        if browser.is_shown("#show-upgrade"):
            browser.click("#show-upgrade")
        browser.find(f"#target option[value='{target}']").click()
        (tmp_path / name).write_bytes(content)
        browser.find("#file").send_keys(str(tmp_path / name))
        wait_until("the file is checked", browser.find("#send").is_enabled)
        browser.click("#send")
    return do


def look_at_bar(browser):
    return browser.script("const bar = document.querySelector('#upgrade-note progress');"
                          "return bar && (bar.hasAttribute('value') ? bar.value : 'unknown')")


@pytest.mark.parametrize("size", [PHONE, DESKTOP])
def test_firmware_is_sent_byte_for_byte_and_restarted(browser, ours, begin, size):
    browser.set_size(size)
    ours.next_version = NEW
    begin(ours)
    assert "It runs after a restart" in browser.wait_text(NOTE, "Stored on the module")
    method, _, headers, body = ours.sent("/setotadata")[0]
    assert (method, headers["Object"], headers["Content-Type"]) == (
        "POST", "ota", "application/octet-stream;charset=UTF-8")
    assert headers["Content-Length"] == str(len(IMAGE)) and body == IMAGE
    browser.script("WAIT.poll = 20")
    browser.click_text(f"{NOTE} button", "Restart now")
    browser.wait_text(NOTE, f"The module runs {NEW}")
    method, _, headers, body = ours.sent("/restart")[0]
    assert (method, headers["Object"], headers["Content-Length"], body) == ("POST", "none", "0", b"")
    assert NEW in browser.text("#about") and NEW in browser.text("header")


def test_stock_firmware_is_restarted_by_its_host(browser, stock, begin):
    begin(stock)
    assert "AT+RST" in browser.wait_text(NOTE, "Stored on the module")
    assert not browser.is_shown(f"{NOTE} button")


def test_progress_follows_what_the_module_takes(browser, stock, begin):
    stock.pause_upload_at = 100000
    content = b"\xeb\x3c\x90" * 5000000  # more than the buffers of the way there hold
    begin(stock, content, "fs_storage")
    share = wait_until("a share", lambda: look_at_bar(browser) not in (None, "unknown") and look_at_bar(browser))
    assert 0 < share < 1
    words = browser.text(NOTE)
    assert "Keep this page open" in words and f"of {-(-len(content) // 1024)} KB" in words
    for control in ("#send", "#target", "#file", "#scan", "#connect"):
        assert not browser.find(control).is_enabled(), control
    stock.go_on.set()
    browser.wait_text(NOTE, "Stored on the module")
    assert stock.sent("/setotadata")[0][3] == content


def test_the_verdict_is_waited_for(browser, ours, begin):
    ours.pause_upload_at = 1 << 30
    begin(ours)
    browser.wait_text(NOTE, "Sent. The module verifies")
    assert look_at_bar(browser) == "unknown"
    ours.go_on.set()
    browser.wait_text(NOTE, "Stored on the module")


def test_refused_firmware_is_said_and_can_be_sent_again(browser, stock, begin):
    stock.is_upload_refused = True
    begin(stock)
    words = browser.wait_text(NOTE, "The module refused the file")
    assert "The firmware that runs now stays" in words
    stock.is_upload_refused = False
    browser.click("#send")
    browser.wait_text(NOTE, "Stored on the module")


def test_a_refused_partition_is_said_in_words(browser, ours, begin):
    ours.is_upload_refused = True
    begin(ours, samples.nvs_page(), "mfg_nvs")
    words = browser.wait_text(NOTE, "The module refused the file")
    assert "takes only firmware (ota) through the page" in words
    assert "Partition mfg_nvs may be incomplete" in words


def test_a_partition_is_written_without_restart(browser, stock, begin):
    begin(stock, b"\0" * 512, "fs_storage")
    assert "Partition fs_storage" in browser.wait_text(NOTE, "Stored on the module")
    assert stock.sent("/setotadata")[0][2]["Object"] == "fs_storage"
    assert "AT+RST" not in browser.text(NOTE)


def test_a_lost_connection_is_said_with_what_it_means(browser, stock, begin):
    stock.cut_upload_at = 50000
    begin(stock)
    words = browser.wait_text(NOTE, "The connection was lost after")
    assert "The firmware that runs now stays" in words
    assert stock.sent("/setotadata") == []
    stock.cut_upload_at = None
    browser.click("#send")
    browser.wait_text(NOTE, "Stored on the module")
    stock.violations = [line for line in stock.violations if "second request" not in line]


def test_a_lost_partition_upload_may_be_incomplete(browser, stock, begin):
    stock.cut_upload_at = 10
    begin(stock, samples.nvs_page(), "mfg_nvs")
    assert "Partition mfg_nvs may be incomplete" in browser.wait_text(NOTE, "The connection was lost after")


def test_a_module_that_goes_silent_is_given_up(browser, ours, begin):
    ours.pause_upload_at = 1000
    browser.open(ours.url)
    begin(ours)
    browser.script("WAIT.stall = WAIT.verify = 300")
    browser.wait_text(NOTE, "The connection was lost after")


def test_sending_waits_for_the_scan_to_end(browser, stock, begin):
    stock.held_path = "/getaprecord"
    begin(stock)
    browser.wait_text(NOTE, "Waiting for the module")
    assert stock.sent("/setotadata") == [] and stock.n_busy == 1
    stock.go_on.set()
    browser.wait_text(NOTE, "Stored on the module")
    assert [request[1] for request in stock.requests][-2:] == ["/getaprecord", "/setotadata"]


def test_sending_can_be_cancelled(browser, ours, begin):
    ours.pause_upload_at = 1000
    begin(ours)
    browser.click_text(f"{NOTE} button", "Cancel")
    words = browser.wait_text(NOTE, "Cancelled")
    assert "The firmware that runs now stays" in words and "network failed" not in words
    assert browser.find("#send").is_enabled()


def test_a_module_that_keeps_its_version_after_the_restart_is_told(browser, ours, begin):
    begin(ours)
    browser.wait_text(NOTE, "Stored on the module")
    browser.script("WAIT.poll = 20; WAIT.restart = 1500")
    browser.click_text(f"{NOTE} button", "Restart now")
    assert "went back to its old firmware" in browser.wait_text(NOTE, f"The module still runs {OLD}")


def test_the_same_version_again_counts_when_the_module_was_away(browser, ours, begin):
    ours.next_version = OLD
    begin(ours, app_image.make(version=OLD))
    browser.wait_text(NOTE, "Stored on the module")
    browser.script("WAIT.poll = 20")
    browser.click_text(f"{NOTE} button", "Restart now")
    browser.wait_text(NOTE, f"The module runs {OLD}")


def test_a_module_that_does_not_come_back_is_told(browser, ours, begin):
    begin(ours)
    browser.wait_text(NOTE, "Stored on the module")
    browser.script("WAIT.poll = 20; WAIT.restart = 300")
    ours.n_away = 1 << 30
    browser.click_text(f"{NOTE} button", "Restart now")
    assert "AT+WEBSERVER" in browser.wait_text(NOTE, "The module is not back yet")


# -- the list of targets ----------------------------------------------------------------------------

HOSTILE = ["ota", "<b onclick=x>", "a\"b'c\\/&amp;"]


def test_hostile_labels_are_shown_and_sent_as_they_are(browser, stock, begin):
    stock.partitions = HOSTILE
    browser.open(stock.url)
    browser.wait_text("header", OLD)
    assert browser.script("return [...document.getElementById('target').options].map(o => o.value)") == HOSTILE
    assert browser.script("return document.querySelectorAll('#target b').length") == 0
    begin(stock, b"\0" * 512, "<b onclick=x>")
    browser.wait_text(NOTE, "Stored on the module")
    assert stock.sent("/setotadata")[0][2]["Object"] == "<b onclick=x>"


def test_a_label_that_no_header_can_carry_ends_in_words(browser, stock, begin):
    stock.partitions = ["ota", "分区"]
    begin(stock, b"\0" * 512, "分区")
    browser.wait_text(NOTE, "The connection was lost after 0 KB")
    assert stock.sent("/setotadata") == []


def test_a_hostile_file_name_stays_text(browser, stock, begin):
    stock.pause_upload_at = 1 << 30
    begin(stock, name="<img src=x onerror=alert(1)>.bin")
    browser.wait_text(NOTE, "Sending <img src=x onerror=alert(1)>.bin")
    assert browser.script("return document.images.length") == 0


def test_row_31_a_module_without_targets_is_told(browser, stock):
    stock.partitions = []
    browser.set_size(DESKTOP)
    browser.open(stock.url)
    browser.wait_text("#info-note", "offers nothing to upgrade")
    assert not browser.is_shown("#upgrade-form")


def test_a_module_that_does_not_answer_can_be_asked_again(browser, stock):
    browser.set_size(DESKTOP)
    browser.open(stock.url)
    browser.wait_text("header", OLD)
    stock.n_away = 1 << 30
    browser.script("load()")
    browser.wait_text("#info-note", "does not answer")
    stock.n_away = 0
    browser.click_text("#info-note button", "Try again")
    wait_until("the note goes", lambda: not browser.is_shown("#info-note"))
