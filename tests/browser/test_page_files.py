# SPDX-License-Identifier: Apache-2.0
"""What the page says about a chosen file before anything is sent (facts/esp-formats.md 7)."""

import app_image
import pytest
import sample_files as samples
from server import wait_until

GOOD = app_image.make(version="v5.0.1.0", date="Nov  3 2025", data_bytes=40000)


@pytest.fixture
def choose(browser, tmp_path):
    """choose(module, content): open the upgrade card, choose a file of this content; the findings."""
    def do(module, content, name="ota.bin", target=None):
        browser.open(module.url)
        browser.wait_text("header", module.version)
        browser.click("#show-upgrade")
        if target:
            browser.script("document.getElementById('target').value = arguments[0]; showFindings()", target)
        (tmp_path / name).write_bytes(content)
        browser.find("#file").send_keys(str(tmp_path / name))
        return wait_until("a finding", lambda: "Checking" not in browser.text("#findings") and browser.text("#findings"))
    return do


def is_refused(browser, module):
    """Nothing can be sent, by no way, and nothing was."""
    browser.script("document.getElementById('upgrade-form').requestSubmit()")
    button = browser.find("#send")
    return not button.is_enabled() and browser.find("#findings").find_elements("css selector", ".bad") and \
        module.sent("/setotadata") == []


def is_doubted(browser):
    return browser.find("#send").is_enabled() and browser.find("#send").text == "Send anyway"


def is_taken(browser):
    return browser.find("#send").is_enabled() and browser.find("#send").text == "Send to the module"


@pytest.mark.parametrize("name", samples.WRONG)
def test_a_wrong_file_is_named_and_refused(browser, stock, choose, name):
    content, words = samples.WRONG[name]
    found = choose(stock, content, name)
    assert f"This is {words}" in found
    assert "not firmware for an upgrade" in found
    assert is_refused(browser, stock)


def test_good_firmware_is_shown_with_its_descriptor(browser, ours, choose):
    found = choose(ours, GOOD).split("\n")
    assert found == ["esp-at v5.0.1.0 for ESP32-C3, built Nov 3 2025 12:34:56",
                     "Size: 40 KB of 1856 KB", "Complete, the checksums are right."]
    assert is_taken(browser)


def test_stock_firmware_does_not_tell_its_chip(browser, stock, choose):
    found = choose(stock, GOOD)
    assert "Make sure that the module has this chip" in found and "Complete" in found
    assert is_taken(browser)


@pytest.mark.parametrize("chip, name", [("esp32", "ESP32"), ("esp32s2", "ESP32-S2"), ("esp32c2", "ESP32-C2"),
                                        ("esp32c6", "ESP32-C6"), ("esp32c5", "ESP32-C5")])
def test_another_chip_is_refused(browser, ours, choose, chip, name):
    assert f"this file is for {name}, the module is ESP32-C3" in choose(ours, app_image.make(chip=chip))
    assert is_refused(browser, ours)


def test_a_packed_image_for_another_chip_is_refused(browser, ours, choose):
    assert "this file is for ESP32-C6, the module is ESP32-C3" in choose(ours, samples.packed_v3(
        app_image.make(chip="esp32c6")))
    assert is_refused(browser, ours)


def test_more_than_the_slot_holds_is_refused(browser, ours, choose):
    ours.extra["ota_size"] = len(GOOD) - 1
    assert "Too big: 40 KB, and there is room for 40 KB" in choose(ours, GOOD)
    assert is_refused(browser, ours)
    ours.extra["ota_size"] = len(GOOD)
    choose(ours, GOOD)
    assert is_taken(browser)


def test_more_than_known_slots_hold_is_doubted(browser, stock, choose):
    found = choose(stock, app_image.make(data_bytes=0x200000))
    assert "more than known modules have room for" in found
    assert is_doubted(browser)


@pytest.mark.parametrize("length", [24, 31, 32, 300, len(GOOD) - 33, len(GOOD) - 32, len(GOOD) - 1])
def test_a_file_that_was_cut_off_is_refused(browser, stock, choose, length):
    found = choose(stock, GOOD[:length])
    if length <= 0x20:  # before the descriptor it cannot be told what it is
        assert "an image without app descriptor" in found
    else:
        assert f"Cut off: {length} of at least" in found
    assert is_refused(browser, stock)


@pytest.mark.parametrize("at, values, words", [
    (1, [17], "segment count 17"),
    (1, [0], "segment count 0"),
    (23, [2], "header"),
    (28, [1], "segment 0"),
    (31, [1], "segment 0"),
    (30000, [0x55], "checksum"),
    (0x90, [0x56, 0x35, 0x56, 0x34], "checksum"),
    (len(GOOD) - 1, [0], "SHA-256"),
    (4, [1], "SHA-256"),
])
def test_damage_is_named(browser, stock, choose, at, values, words):
    assert f"Damaged: wrong {words}." in choose(stock, samples.changed(GOOD, at, *values))
    assert is_refused(browser, stock)


def test_an_image_of_several_segments_without_hash_is_walked(browser, stock, choose):
    head, segments = bytearray(GOOD[:24]), [GOOD[24:32], b"\x20\x01\x00\x3c"]
    head[1], head[23] = 3, 0
    body, total = bytes(head), 0xEF
    for data in (GOOD[32:32 + 4096], b"\x11" * 8, b"\x22" * 4):
        body += segments[0][:4] + len(data).to_bytes(4, "little") + data
        for byte in data:
            total ^= byte
    body += bytes(15 - len(body) % 16) + bytes([total])
    assert "Complete" in choose(stock, body)
    assert is_taken(browser)
    assert "Cut off" in choose(stock, body[:-1])


@pytest.mark.parametrize("tail, is_fine", [(b"\xff" * 5000, True), (b"\xff" * 7 + b"\0", False), (b"x", False)])
def test_what_follows_the_image_is_looked_at(browser, stock, choose, tail, is_fine):
    found = choose(stock, GOOD + tail)
    assert ("more bytes follow the image" in found) != is_fine
    assert is_taken(browser) if is_fine else is_doubted(browser)


def test_a_signature_sector_belongs_to_the_image(browser, stock, choose):
    gap = b"\xff" * (-len(GOOD) % 4096)
    choose(stock, GOOD + gap + b"\xe7\2\0\0".ljust(4096, b"\xff"))
    assert is_taken(browser)


def test_other_projects_and_older_versions_are_doubted(browser, stock, choose):
    assert 'Not AT firmware but "esp-idf"' in choose(stock, app_image.make(version="v6.0", project="esp-idf"))
    assert is_doubted(browser)
    assert "Older than version v4.0.0.0" in choose(stock, app_image.make(version="v3.4.0.0"))
    assert is_doubted(browser)
    assert "This version runs already" in choose(stock, app_image.make(version="v4.0.0.0"))
    assert is_taken(browser)


def test_a_plain_image_for_a_chip_that_unpacks_is_doubted(browser, stock, choose):
    assert "could block all later upgrades" in choose(stock, app_image.make(chip="esp32c5", version="v5.0.1.0"))
    assert is_doubted(browser)


def test_packed_images_are_checked(browser, stock, choose):
    two, three = samples.packed_v2(GOOD), samples.packed_v3(app_image.make(chip="esp32c5", version="v5.0.1.0"))
    assert "Packed image, version v5.0.1.0" in choose(stock, two)
    assert is_taken(browser)
    assert "esp-at v5.0.1.0 for ESP32-C5" in choose(stock, three)
    assert is_taken(browser)
    for packed, header in ((two, 0), (three, 0x120)):
        assert "Cut off" in choose(stock, packed[:-1])
        assert is_refused(browser, stock)
        assert "Cut off" in choose(stock, packed[:header + 30])
        assert is_refused(browser, stock)
        assert "Damaged: wrong CRC-32" in choose(stock, samples.changed(packed, header + 7, 9))
        assert is_refused(browser, stock)


HOSTILE = "<img src=x onerror=alert(1)>\u202e"


def test_text_inside_a_file_stays_text(browser, stock, choose):
    found = choose(stock, app_image.make(version=HOSTILE[:28], project='"</script>{0}', date="<b>bold</b>"))
    assert '"</script>{0} <img src=x onerror=alert(1)> for ESP32-C3, built <b>bold</b>' in found
    assert browser.script("return document.images.length") == 0


def name_text(value):
    """The name of a case: its texts, but not the bytes of its file."""
    return value if isinstance(value, str) else "file"


# -- user partitions: hints, and only an empty file is refused ------------------------------------------


@pytest.mark.parametrize("label, content, words", [
    ("mfg_nvs", samples.nvs_page(), "wrong file makes the module unreachable"),
    ("mfg_nvs", GOOD, "does not look like content for mfg_nvs"),
    ("fs_storage", GOOD, "This is an app image"),
    ("fs_storage", samples.zip_archive(), "does not look like content for fs_storage"),
    ("client_ca", b"-----BEGIN CERTIFICATE-----\n", "does not look like content for client_ca"),
    ("wpa_ent_key", samples.nvs_page(), "does not look like content for wpa_ent_key"),
    ("ble_data", b"\0\0\x27\x96", "does not look like content for ble_data"),
    ("factory_param", b"\xfc\xfd", "does not look like content for factory_param"),
], ids=name_text)
def test_odd_content_for_a_partition_is_doubted(browser, stock, choose, label, content, words):
    stock.partitions = ["ota", label]
    assert words in choose(stock, content, "data.bin", label)
    assert is_doubted(browser)
    assert "erases the partition first" in browser.text("#target-hint")


@pytest.mark.parametrize("label, content", [
    ("fs_storage", b"\xeb\x3c\x90MSDOS5.0" + bytes(501)), ("mine", b"plain text"),
    ("client_ca", b"\xf1\xf1\1\0\x10\0\0\0" + bytes(16)), ("mqtt_key", b"\xf1\xf1\0\0\0\0\0\0"),
    ("ble_data", b"\x02\0\x27\x95{}"), ("factory_param", b"\xfc\xfc\3\xff"),
], ids=name_text)
def test_fitting_content_for_a_partition_is_taken(browser, stock, choose, label, content):
    stock.partitions = ["ota", label]
    choose(stock, content, "data.bin", label)
    assert is_taken(browser)


def test_an_empty_file_fits_no_partition(browser, stock, choose):
    assert "This is an empty file" in choose(stock, b"", "empty.bin", "fs_storage")
    assert is_refused(browser, stock)


def test_another_target_judges_the_file_anew(browser, stock, choose):
    choose(stock, GOOD)
    browser.script("document.getElementById('target').value = 'fs_storage';"
                   "document.getElementById('target').dispatchEvent(new Event('change'))")
    assert is_doubted(browser)
    browser.script("document.getElementById('target').value = 'ota';"
                   "document.getElementById('target').dispatchEvent(new Event('change'))")
    assert is_taken(browser)


def test_the_same_file_again_is_read_again(browser, stock, choose, tmp_path):
    choose(stock, GOOD)
    browser.script("document.getElementById('file').onclick()")
    assert browser.text("#findings") == "" and not browser.find("#send").is_enabled()
    (tmp_path / "ota.bin").write_bytes(GOOD[:-1])
    browser.find("#file").send_keys(str(tmp_path / "ota.bin"))
    browser.wait_text("#findings", "Cut off")
