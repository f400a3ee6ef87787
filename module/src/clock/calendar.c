/* SPDX-License-Identifier: Apache-2.0 */
#include "clock/calendar.h"

#include <stdbool.h>

#define MINUTE_S 60
#define HOUR_S   3600
#define DAY_S    86400

/* The year before 1970, for the zones behind UTC. */
#define FIRST_YEAR      1969
#define FIRST_YEAR_DAYS 365
#define FIRST_WEEKDAY   3 /* 1 January 1969 was a Wednesday. */

static const char weekdays[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
static const uint8_t month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

static bool is_leap(uint32_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static uint32_t days_of_year(uint32_t year)
{
    return is_leap(year) ? 366 : 365;
}

static uint32_t days_of_month(uint32_t year, uint32_t month)
{
    return month_days[month] + (month == 1 && is_leap(year) ? 1u : 0u);
}

static void add_padded(struct aloft_text *t, uint32_t value, char padding)
{
    if (value < 10) {
        aloft_text_add_char(t, padding);
    }
    aloft_text_add_uint(t, value);
}

void aloft_calendar_add(struct aloft_text *t, uint32_t unix_s, int32_t zone_s)
{
    int64_t local_s = (int64_t)unix_s + zone_s + (int64_t)FIRST_YEAR_DAYS * DAY_S;
    uint32_t days = (uint32_t)(local_s / DAY_S);
    uint32_t second = (uint32_t)(local_s % DAY_S);
    uint32_t weekday = (FIRST_WEEKDAY + days) % 7;
    uint32_t year = FIRST_YEAR;
    uint32_t month = 0;

    for (; days >= days_of_year(year); year++) {
        days -= days_of_year(year);
    }
    for (; days >= days_of_month(year, month); month++) {
        days -= days_of_month(year, month);
    }
    aloft_text_add(t, weekdays[weekday]);
    aloft_text_add_char(t, ' ');
    aloft_text_add(t, months[month]);
    aloft_text_add_char(t, ' ');
    add_padded(t, days + 1, ' ');
    aloft_text_add_char(t, ' ');
    add_padded(t, second / HOUR_S, '0');
    aloft_text_add_char(t, ':');
    add_padded(t, second % HOUR_S / MINUTE_S, '0');
    aloft_text_add_char(t, ':');
    add_padded(t, second % MINUTE_S, '0');
    aloft_text_add_char(t, ' ');
    aloft_text_add_uint(t, year);
}
