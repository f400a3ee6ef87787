/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_TESTS_WIFI_DIALOGUE_H
#define ALOFT_TESTS_WIFI_DIALOGUE_H

#include "dialogue.h"

/* What the tests of the Wi-Fi commands share (facts/at-commands.md 1.8, 4). */

#define ERROR "\r\nERROR\r\n"
#define OK    "\r\nOK\r\n"

/** Restart the module with echo off; a new air, the settings stay. */
void wifi_boot(struct fake_port *f);

/** cmocka's set-up: a module that has booted so. */
int wifi_set_up(void **state);

/** Let time pass; all the module sends must be `wanted`, byte for byte. */
void expect_after(struct fake_port *f, uint32_t ms, const char *wanted);

/** The station of the fake: 192.168.1.23 in the net of the access point it was to join last. */
void set_status(struct fake_port *f, enum aloft_wifi_state state);

/** AT+CWMODE=1, AT+CWJAP="home","secret12", and an address. */
void wifi_join(struct fake_port *f);

#endif
