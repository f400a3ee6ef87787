# SPDX-License-Identifier: Apache-2.0
"""The page's Wi-Fi set-up on a module that answers as stock does (facts/at-commands.md 3.4, 3.7)."""

import json

import pytest
from browser import DESKTOP, PHONE
from server import wait_until

NOTE = "#wifi-note"


def open_page(browser, module, poll_ms=20):
    browser.open(module.url)
    browser.wait_text("#aps", "Hidden or other network")
    browser.script("WAIT.poll = arguments[0]", poll_ms)


def join(browser, name, password):
    browser.click_text("#aps label", name)
    if password:
        browser.type("#password", password)
    browser.click("#connect")


def paths_since(module, path):
    paths = [request[1] for request in module.requests]
    return paths[paths.index(path):]


@pytest.mark.parametrize("size", [PHONE, DESKTOP])
def test_a_network_from_the_list_is_joined(browser, stock, size):
    browser.set_size(size)
    open_page(browser, stock, poll_ms=1000)
    join(browser, "Office", "correct horse")
    browser.wait_text(NOTE, "Connected to Office")
    wait_until("the acknowledgement", lambda: stock.sent("/getresult"))
    method, _, headers, body = stock.sent("/setstainfo")[0]
    assert (method, headers["Content-Type"]) == ("POST", "application/json")
    assert json.loads(body) == {"ssid": "Office", "password": "correct horse"}
    assert stock.sent("/getresult")[0][3] == b"received=1"
    assert paths_since(stock, "/setstainfo") == ["/setstainfo", "/getstainfo", "/getstainfo", "/getresult"]
    assert stock.credentials == ("", "")
    assert browser.find("#password").get_attribute("value") == ""
    assert browser.errors() == []


def test_networks_are_listed_once_with_what_they_want(browser, stock):
    open_page(browser, stock)
    rows = browser.text("#aps").split("\n")
    assert rows == ["Office", "secured", "Café Zürich", "secured", "Guests", "open", "Campus",
                    "enterprise", "客厅", "secured", "Hidden or other network…"]
    assert not browser.script("return [...document.querySelectorAll('#aps label')]"
                              ".find(row => row.textContent.includes('Campus')).control").is_enabled()


def test_an_open_network_asks_for_no_password(browser, stock):
    open_page(browser, stock)
    browser.click_text("#aps label", "Guests")
    assert not browser.is_shown("#password")
    browser.click("#connect")
    browser.wait_text(NOTE, "Connected to Guests")
    assert json.loads(stock.sent("/setstainfo")[0][3]) == {"ssid": "Guests", "password": ""}


def test_a_hidden_network_is_joined_by_its_name(browser, stock):
    open_page(browser, stock)
    browser.click_text("#aps label", "Hidden")
    assert not browser.find("#connect").is_enabled()
    browser.type("#ssid", "Kammer")
    browser.type("#password", "12345678")
    browser.click("#connect")
    browser.wait_text(NOTE, "Connected to Kammer")
    assert json.loads(stock.sent("/setstainfo")[0][3]) == {"ssid": "Kammer", "password": "12345678"}


def test_failure_is_said_and_trying_again_needs_no_acknowledgement(browser, stock):
    stock.joins = ["fail", "ok"]
    open_page(browser, stock)
    join(browser, "Office", "wrong password")
    words = browser.wait_text(NOTE, "Could not connect to Office")
    assert "Check the password" in words
    assert stock.sent("/getresult") == []
    browser.click("#connect")
    browser.wait_text(NOTE, "Connected to Office")
    wait_until("the acknowledgement", lambda: len(stock.sent("/getresult")) == 1)


def test_ok_acknowledges_the_failure_and_the_module_forgets_the_password(browser, stock):
    stock.joins = ["fail"]
    open_page(browser, stock)
    join(browser, "Office", "wrong password")
    browser.wait_text(NOTE, "Could not connect")
    browser.click_text(f"{NOTE} button", "OK")
    wait_until("the acknowledgement", lambda: stock.sent("/getresult"))
    assert not browser.is_shown(NOTE)
    assert (stock.station, stock.credentials) == ("idle", ("", ""))


def test_row_42_leaving_before_the_result_is_told_to_this_module(browser, stock):
    stock.n_polls = 10000
    open_page(browser, stock)
    join(browser, "Office", "correct horse")
    wait_until("a poll", lambda: stock.station == "connecting" and stock.sent("/getstainfo"))
    browser.open("about:blank")
    wait_until("the beacon", lambda: stock.sent("/getresult"))
    _, _, headers, body = stock.sent("/getresult")[0]
    assert headers["Content-Type"].lower() == "application/x-www-form-urlencoded;charset=utf-8"
    assert body == b"received=1"
    stock.violations.clear()  # a poll that was cut off by leaving may still be at work beside the beacon


def test_leaving_without_a_result_to_come_sends_nothing(browser, stock):
    open_page(browser, stock)
    join(browser, "Office", "correct horse")
    browser.wait_text(NOTE, "Connected to Office")
    wait_until("the acknowledgement", lambda: stock.sent("/getresult"))
    browser.open("about:blank")
    open_page(browser, stock)
    assert len(stock.sent("/getresult")) == 1


def test_row_43_the_page_waits_longer_than_the_module_may_try(browser, stock):
    stock.n_polls = 62  # stock's page gives up after 41 polls, one a second; the module may try for 60 s
    browser.open(stock.url)
    assert browser.script("return [WAIT.poll, WAIT.join]") == [1000, 75000]
    open_page(browser, stock)
    join(browser, "Office", "correct horse")
    browser.wait_text(NOTE, "Connected to Office")
    assert len(paths_since(stock, "/setstainfo")) == 1 + 63 + 1


def test_no_result_in_time_is_said(browser, stock):
    stock.n_polls = 10000
    open_page(browser, stock)
    browser.script("WAIT.join = 400")
    join(browser, "Office", "correct horse")
    browser.wait_text(NOTE, "No result after")


def test_a_module_out_of_reach_for_a_while_is_asked_again(browser, stock):
    stock.n_polls = 3
    open_page(browser, stock)
    browser.click_text("#aps label", "Office")
    browser.type("#password", "correct horse")
    stock.away_after = "/setstainfo"
    browser.click("#connect")
    browser.wait_text(NOTE, "Connected to Office")
    assert stock.n_away == 0 and stock.away_after is None


def test_refused_settings_are_said(browser, stock):
    stock.joins = ["refuse"]
    open_page(browser, stock)
    join(browser, "Office", "correct horse")
    assert "AT+CWMODE=3" in browser.wait_text(NOTE, "The module did not take the settings")


def test_settings_that_the_driver_refuses_later_are_said(browser, stock):
    stock.joins = ["idle"]
    open_page(browser, stock)
    join(browser, "Office", "correct horse")
    browser.wait_text(NOTE, "The module did not take the settings")


def test_an_attempt_of_an_earlier_visit_is_followed(browser, stock):
    stock.station, stock.credentials, stock._polls_left = "connecting", ("Office", "x"), 3
    browser.open(stock.url)
    browser.wait_text(NOTE, "Connecting to Office")
    browser.wait_text(NOTE, "Connected to Office")
    wait_until("the acknowledgement", lambda: stock.sent("/getresult"))
    browser.wait_text("#aps", "Café Zürich")  # the scan waited


# -- limits -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name, password, words", [
    ("n" * 33, "12345678", "33 of 32 bytes"),
    ("客" * 11, "12345678", "33 of 32 bytes"),
    ("Kammer", "p" * 65, "65 of 64 bytes"),
    ("Kammer", "密" * 22, "66 of 64 bytes"),
    ("n" * 32, "\x01" * 64, "441 of 319 bytes"),
])
def test_more_bytes_than_the_module_takes_are_refused(browser, stock, name, password, words):
    open_page(browser, stock)
    browser.click_text("#aps label", "Hidden")
    browser.script("document.getElementById('ssid').value = arguments[0];"
                   "document.getElementById('password').value = arguments[1]; checkWifi()", name, password)
    assert words in browser.text("#wifi-form")
    assert not browser.find("#connect").is_enabled()
    browser.script("document.getElementById('wifi-form').requestSubmit()")  # Enter in a field
    assert browser.text(NOTE) == "" and stock.sent("/setstainfo") == []


def test_limits_are_bytes_and_the_last_one_is_allowed(browser, stock):
    open_page(browser, stock)
    name, password = "客厅的网络很长哦吧" + "12345", "ß" * 32
    assert (len(name.encode()), len(password.encode())) == (32, 64)
    browser.click_text("#aps label", "Hidden")
    browser.type("#ssid", name)
    browser.type("#password", password)
    browser.click("#connect")
    browser.wait_text(NOTE, "Connected to " + name)
    assert json.loads(stock.sent("/setstainfo")[0][3]) == {"ssid": name, "password": password}


def test_a_short_password_for_wpa_is_not_sent(browser, stock):
    open_page(browser, stock)
    browser.click_text("#aps label", "Office")
    browser.type("#password", "1234567")
    assert "at least 8 characters" in browser.text("#password-hint")
    assert not browser.find("#connect").is_enabled()
    browser.find("#password").send_keys("8")
    assert browser.find("#connect").is_enabled()


def test_the_password_is_hidden_until_shown(browser, stock):
    open_page(browser, stock)
    browser.click_text("#aps label", "Office")
    assert browser.find("#password").get_attribute("type") == "password"
    browser.click_text("button", "Show")
    assert browser.find("#password").get_attribute("type") == "text"
    browser.click_text("button", "Hide")
    assert browser.find("#password").get_attribute("type") == "password"


# -- what modules may answer --------------------------------------------------------------------------

HOSTILE = ["<img src=x onerror=alert(1)>", "\"';</script>", "a\\b/c", "🛰️ Raumstation", "{0} {1}", "a|b", "&amp;"]


def test_hostile_names_are_shown_and_sent_as_they_are(browser, stock):
    stock.aps = [(name, 3) for name in HOSTILE]
    open_page(browser, stock)
    assert browser.script("return [...document.querySelectorAll('#aps bdi')].map(e => e.textContent)")[:-1] == HOSTILE
    assert browser.script("return document.images.length + document.scripts.length") == 1
    for i, name in enumerate(HOSTILE):
        stock.joins = ["ok"]
        browser.script("document.querySelectorAll('#aps input')[arguments[0]].click()", i)
        browser.type("#password", "12345678")
        browser.click("#connect")
        browser.wait_text(NOTE, "Connected to " + name)
        assert json.loads(stock.sent("/setstainfo")[i][3])["ssid"] == name
    assert browser.errors() == []


def test_row_31_an_empty_list_without_its_bracket_is_understood(browser, stock):
    stock.aps = []
    open_page(browser, stock)
    assert "No network found" in browser.text("#aps")


def test_a_failed_scan_leaves_the_entry_of_a_name(browser, stock):
    stock.aps = None
    open_page(browser, stock)
    assert "No network found" in browser.text("#aps")
    stock.aps = [("Later", 3)]
    browser.click("#scan")
    browser.wait_text("#aps", "Later")


def test_row_33_unescaped_control_characters_are_understood(browser, stock):
    stock.aps = [("tab\there", 0), ("bell\x07\x1b", 0), ("Office", 3)]
    open_page(browser, stock)
    assert "Office" in browser.text("#aps")
    browser.script("document.querySelectorAll('#aps input')[0].click()")
    browser.click("#connect")
    browser.wait_text(NOTE, "Connected to tab\ufffdhere")
    assert json.loads(stock.sent("/setstainfo")[0][3])["ssid"] == "tab\there"


def test_refreshing_keeps_the_choice_and_the_password(browser, stock):
    open_page(browser, stock)
    browser.click_text("#aps label", "Office")
    browser.type("#password", "correct horse")
    stock.aps = [("New", 3), ("Office", 3)]
    browser.click("#scan")
    browser.wait_text("#aps", "New")
    browser.click("#connect")
    browser.wait_text(NOTE, "Connected to Office")
    assert json.loads(stock.sent("/setstainfo")[0][3])["password"] == "correct horse"
