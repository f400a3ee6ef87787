/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A page of one's own. It is one file: a browser in the module's network reaches nothing else. It
 * may call what docs/guide/module-page.md lists, by relative URLs, one request at a time; here it
 * shows the version and sends a new firmware.
 *
 * Run it like `aloft module`, then AT+CWMODE=3, AT+WEBSERVER=1,8080,60 and a browser.
 */

#include "aloft/module.h"

#include "virtual_main.h"

static const char page[] =
    "<!DOCTYPE html>\n"
    "<html lang=\"en\">\n"
    "<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n"
    "<title>Kettle</title>\n"
    "<h1>Kettle</h1>\n"
    "<p>Firmware <b id=\"version\">unknown</b></p>\n"
    "<p><input type=\"file\" id=\"file\" accept=\".bin\">\n"
    "<button id=\"send\">Upgrade</button></p>\n"
    "<p id=\"result\" role=\"status\"></p>\n"
    "<script>\n"
    "function find(id) { return document.getElementById(id); }\n"
    "function say(text) { find('result').textContent = text; }\n"
    "async function show() {\n"
    "  const info = await (await fetch('getotainfo')).json();\n"
    "  find('version').textContent = info.fw_version;\n"
    "}\n"
    "async function send() {\n"
    "  const file = find('file').files[0];\n"
    "  if (!file) { return say('Choose a file first.'); }\n"
    "  find('send').disabled = true;\n"
    "  say('Sending. Leave the kettle on.');\n"
    "  const answer = await fetch('setotadata', {method: 'POST', headers: {Object: 'ota'}, body: "
    "file});\n"
    "  say(answer.ok ? 'Done. Switch the kettle off and on.' : 'The kettle refused this file.');\n"
    "  find('send').disabled = false;\n"
    "}\n"
    "find('send').onclick = () => send().catch(() => say('The connection was lost.'));\n"
    "show().catch(() => say('The kettle does not answer.'));\n"
    "</script>\n"
    "</html>\n";

static void customize(struct aloft_module_config *config, void *ctx)
{
    (void)ctx;
    config->page = (const uint8_t *)page;
    config->page_len = sizeof page - 1; /* without the NUL */
}

int main(int argc, char **argv)
{
    return virtual_main(argc, argv, customize, NULL);
}
