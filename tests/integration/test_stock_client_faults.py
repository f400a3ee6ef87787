# SPDX-License-Identifier: Apache-2.0
"""The strict stock client against a fault server: each outcome of facts/ciupdate-wire.md 2.3, 3.2, 4.2 and 5."""

import pytest

from fault_server import FaultServer, Script, make_certificate
from stock_client import (CURRENT, RELEASES, Release, StockClient, StockCrash, StockError, Target, packed_target)

TOKEN = "0123456789abcdef0123456789abcdef01234567"
HEAD = b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\nContent-Length: 73\r\nConnection: close\r\n\r\n"
BODY = b'{"recommended_rom_version": "v5.0.1.0", "status": 200, "productRoms": []}'
STATUS_FIRST = b'{"status": 200, "productRoms": [], "recommended_rom_version": "v5.0.1.0"}'
COMPACT = b'{"recommended_rom_version":"v5.0.1.0","status":200,"productRoms":[]}     '


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(params=["plain", "tls"])
def run(request, certificate):
    """run(script, act): one connection to a fault server, over plain TCP and over TLS."""
    tls = request.param == "tls"

    def _run(script, act, release=CURRENT, timeout_s=180.0):
        with FaultServer([script], certificate if tls else None) as server:
            client = StockClient("127.0.0.1", server.port, TOKEN, tls, release, timeout_s=timeout_s)
            client.on_read = server.client_has_read
            return act(client)
    return _run


def version_of(run, *pieces, **options):
    return run(Script(*pieces), lambda client: client.version(), **options)


def test_the_pieces_are_those_of_the_facts():
    assert (len(HEAD), len(BODY), len(STATUS_FIRST), len(COMPACT)) == (90, 73, 73, 73)


# -- 2.3 version document -------------------------------------------------------------------------

def test_head_and_body_in_one_read_work(run):
    assert version_of(run, HEAD + BODY) == "v5.0.1.0"


def test_head_then_body_work(run):
    assert version_of(run, HEAD, BODY) == "v5.0.1.0"


# The window searched again after a piece must still hold what came before: a rest of at most 64 bytes is carried.
@pytest.mark.parametrize("cut", [1, 20, 30, 34, 38])
def test_head_with_part_of_the_body_then_the_rest_work(run, cut):
    assert version_of(run, HEAD + BODY[:cut], BODY[cut:]) == "v5.0.1.0"


def test_head_with_part_of_the_body_fails_when_the_answer_is_read_once(run):
    once = Release("v3.0.0.0", reads_version_once=True)
    with pytest.raises(StockError, match="does not end"):
        version_of(run, HEAD + BODY[:30], BODY[30:], release=once)


@pytest.mark.parametrize("cut", [29, 33, 44])
def test_body_cut_between_key_and_status_fails(run, cut):
    with pytest.raises(StockError):
        version_of(run, HEAD, BODY[:cut], BODY[cut:])


def test_pieces_of_at_most_64_bytes_fail(run):
    answer = HEAD + BODY
    with pytest.raises(StockError):
        version_of(run, *[answer[i:i + 60] for i in range(0, len(answer), 60)])


def test_compact_json_fails(run):
    with pytest.raises(StockError, match="no version"):
        version_of(run, HEAD + COMPACT)


def test_status_before_the_version_and_version_last_fails(run):
    with pytest.raises(StockError, match="does not end"):
        version_of(run, HEAD + STATUS_FIRST)


def test_status_before_the_version_and_a_read_that_ends_inside_it_fails(run):
    text = b'{"status": 200, "recommended_rom_version": "v5.0.1.0", "productRoms": []}'
    with pytest.raises(StockError):
        version_of(run, HEAD + text[:48], text[48:])


def test_an_error_answer_without_version_fails(run):
    body = b'{"status": 404, "message": "no release"}'
    head = b"HTTP/1.0 404 Not Found\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body)
    with pytest.raises(StockError, match="no version"):
        version_of(run, head + body)


def test_a_reset_before_the_answer_fails(run):
    with pytest.raises(StockError, match="read error|no version"):
        run(Script(end="reset"), lambda client: client.version())


def test_a_server_that_keeps_the_connection_without_an_answer_ends_in_a_timeout(run):
    with pytest.raises(StockError, match="read error"):
        run(Script(HEAD, end="stall"), lambda client: client.version(), timeout_s=0.3)


# -- 3.2 file -------------------------------------------------------------------------------------

IMAGE = b"\xE9" + bytes(range(256)) * 12


def file_head(length=len(IMAGE), extra=b"", status=b"200 OK"):
    return (b"HTTP/1.1 " + status + b"\r\n" + extra + b"Content-Length: %d\r\nConnection: close\r\n\r\n" % length)


def file_of(run, *pieces, target=None, end="close", **options):
    target = target or Target()
    run(Script(*pieces, end=end), lambda client: client.file("v1", target), **options)
    return target


def test_a_good_file_arrives_whole(run):
    assert file_of(run, file_head() + IMAGE[:128], IMAGE[128:]).content == IMAGE


def test_the_magic_byte_alone_is_enough_in_the_first_read(run):
    assert file_of(run, file_head() + IMAGE[:1], IMAGE[1:]).content == IMAGE


def test_a_file_without_content_length_fails_for_firmware(run):
    with pytest.raises(StockError, match="empty image"):
        file_of(run, b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + IMAGE)


def test_a_file_without_content_length_is_a_false_success_for_a_user_partition(run):
    target = Target(name="client_ca", magic=b"\xF1\xF1")
    file_of(run, b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n\xF1\xF1", target=target)
    assert target.is_erased and target.content == b""


@pytest.mark.parametrize("spelling", [b"content-length: ", b"Content-Length:", b"Content-length: "])
def test_another_spelling_of_content_length_fails(run, spelling):
    with pytest.raises(StockError, match="empty image"):
        file_of(run, file_head().replace(b"Content-Length: ", spelling) + IMAGE)


def test_a_field_that_ends_in_the_same_text_wins(run):
    with pytest.raises(StockError, match="of 5 bytes"):
        file_of(run, file_head(extra=b"X-Original-Content-Length: 5\r\n") + IMAGE)


def test_a_content_length_above_the_slot_fails(run):
    with pytest.raises(StockError, match="> 100"):
        file_of(run, file_head() + IMAGE, target=Target(size_bytes=100))


def test_a_content_length_above_the_slot_is_not_seen_by_old_releases(run):
    old = next(r for r in RELEASES if not r.checks_size)
    assert file_of(run, file_head() + IMAGE, target=Target(size_bytes=100), release=old).content == IMAGE


def test_a_head_whose_blank_line_comes_later_fails(run):
    head = file_head()
    with pytest.raises(StockError, match="empty image"):
        file_of(run, head[:-2], head[-2:] + IMAGE)


def test_a_head_without_body_in_the_first_read_fails(run):
    with pytest.raises(StockError, match="no body bytes"):
        file_of(run, file_head(), IMAGE)


@pytest.mark.parametrize("body", [b"\x1f\x8b" + IMAGE, b"{}", b"no such version or file\n", b"ESP\0"])
def test_a_body_with_another_magic_fails(run, body):
    with pytest.raises(StockError, match="magic"):
        file_of(run, file_head(len(body)) + body)


def test_a_legacy_compressed_build_wants_88_bytes_in_the_first_read(run):
    packed = b"ESP\0" + bytes(200)
    with pytest.raises(StockError, match="88 needed"):
        file_of(run, file_head(len(packed)) + packed[:87], packed[87:], target=packed_target())
    good = file_of(run, file_head(len(packed)) + packed[:88], packed[88:], target=packed_target())
    assert good.content == packed


def test_the_magic_of_ble_data_sits_at_offset_2(run):
    body = b"\x10\x00\x27\x95" + bytes(16)
    target = Target(name="ble_data", magic=b"\x27\x95", magic_off=2)
    assert file_of(run, file_head(len(body)) + body, target=target).content == body


def test_bytes_after_the_end_fail(run):
    with pytest.raises(StockError, match="of %d bytes" % len(IMAGE)):
        file_of(run, file_head() + IMAGE + b"x")


def test_a_body_that_ends_early_fails(run):
    with pytest.raises(StockError, match="of %d bytes" % len(IMAGE)):
        file_of(run, file_head() + IMAGE[:-1])


def test_an_error_status_with_a_matching_body_is_flashed(run):
    assert file_of(run, file_head(status=b"404 Not Found") + IMAGE).content == IMAGE


def test_a_redirect_fails(run):
    with pytest.raises(StockError, match="no body bytes"):
        file_of(run, file_head(0, b"Location: /elsewhere\r\n", b"302 Found"))


def test_a_chunked_answer_fails(run):
    with pytest.raises(StockError, match="empty image"):
        file_of(run, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n\xE9\r\n0\r\n\r\n")


def test_an_informational_answer_first_fails(run):
    with pytest.raises(StockError, match="empty image"):
        file_of(run, b"HTTP/1.1 100 Continue\r\n\r\n", file_head() + IMAGE)


def test_a_stalled_body_ends_in_a_timeout(run):
    with pytest.raises(StockError, match="read error"):
        file_of(run, file_head() + IMAGE[:500], end="stall", timeout_s=0.3)


def test_a_bare_fin_after_the_last_byte_is_harmless(run):
    assert file_of(run, file_head() + IMAGE, end="bare").content == IMAGE


def test_the_request_is_cut_after_1023_bytes():
    client = StockClient("h", 80, TOKEN)
    assert len(client.file_request("v" * 700, "ota")) == 1023
    assert b"\r\n\r\n" not in client.file_request("v" * 700, "ota")


def test_the_requests_have_the_lengths_of_the_facts():
    client = StockClient("127.0.0.1", 80, TOKEN, host_name="iot.espressif.cn")
    assert len(client.version_request()) == 392
    assert len(client.file_request("v5.0.1.0", "ota")) == 424
    assert len(client.list_request()) == 153


def test_a_file_after_an_explicit_version_skips_two_lines(run):
    target = Target()
    lines = run(Script(file_head() + IMAGE), lambda client: client.ciupdate(target, "v1"))
    assert lines == ["+CIPUPDATE:1", "+CIPUPDATE:4"]


# -- 4.2 version list -----------------------------------------------------------------------------

LIST = (b'{"recommended_rom_version": "v5.0.1.0", "status": 200, "productRoms": '
        b'[{"version": "v5.0.1.0", "recommended": 1}, {"version": "v5.0.0.0", "recommended": 0}]}')


def list_of(run, *pieces, **options):
    return run(Script(*pieces), lambda client: client.version_list(), **options)


def list_answer(body, head=b"Content-Length: %d\r\n"):
    return b"HTTP/1.1 200 OK\r\n" + (head % len(body) if b"%d" in head else head) + b"\r\n" + body


def test_the_list_prints_each_version_with_its_quotes(run):
    assert list_of(run, list_answer(LIST)) == ['+CIPFWVER:"v5.0.1.0"', '+CIPFWVER:"v5.0.0.0"']


def test_the_list_takes_any_segmentation_and_header_case(run):
    answer = list_answer(LIST, b"content-length: %d\r\n")
    assert len(list_of(run, *[answer[i:i + 7] for i in range(0, len(answer), 7)])) == 2


def test_the_list_takes_chunks(run):
    chunks = b"%x\r\n" % len(LIST) + LIST + b"\r\n0\r\n\r\n"
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert len(list_of(run, head + chunks)) == 2


def test_compact_json_lists_nothing(run):
    assert list_of(run, list_answer(LIST.replace(b": ", b":"))) == []


def test_a_version_that_is_the_last_member_crashes_the_module(run):
    with pytest.raises(StockCrash, match="null"):
        list_of(run, list_answer(b'{"productRoms": [{"version": "v5.0.1.0"}]}'))


def test_a_list_above_8191_bytes_overflows_the_module(run):
    with pytest.raises(StockCrash, match="8192"):
        list_of(run, list_answer(LIST + b" " * 8192))


def test_an_error_status_is_an_error(run):
    with pytest.raises(StockError, match="404"):
        list_of(run, b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")


# -- 5 TLS ----------------------------------------------------------------------------------------

def test_over_tls_a_bare_fin_before_the_end_is_a_read_error(certificate):
    with FaultServer([Script(file_head() + IMAGE[:500], end="bare")], certificate) as server:
        client = StockClient("127.0.0.1", server.port, TOKEN, tls=True)
        client.on_read = server.client_has_read
        with pytest.raises(StockError, match="read error"):
            client.file("v1", Target())


def test_over_tls_a_head_in_its_own_record_fails(certificate):
    with FaultServer([Script(file_head(), IMAGE)], certificate) as server:
        client = StockClient("127.0.0.1", server.port, TOKEN, tls=True)
        with pytest.raises(StockError, match="no body bytes"):
            client.file("v1", Target())
