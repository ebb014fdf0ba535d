# SPDX-License-Identifier: MIT
"""Times in the three forms the API speaks. Inside, a moment is a whole number of seconds since 1970 UTC."""
import calendar
import datetime
import email.utils
import functools
import re
import time

DAY = 86400


def now():
    return int(time.time())


@functools.lru_cache(maxsize=1 << 17)
def datetime_text(seconds):
    moment = time.gmtime(seconds)
    return "%04d-%02d-%02dT%02d:%02d:%02d.000+0000" % moment[:6]


def http_date(seconds):
    return email.utils.formatdate(seconds, usegmt=True)


def parse_http_date(text):
    try:
        moment = datetime.datetime.strptime(text.strip(), "%a, %d %b %Y %H:%M:%S %Z")
    except ValueError:
        return None
    return calendar.timegm(moment.timetuple())


ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)\Z", re.IGNORECASE)


def parse_datetime(text):
    """Seconds, or None for text that is no date and time with a zone. Fractions are dropped, as the org does."""
    match = ISO.match(text)
    if not match:
        return None
    year, month, day, hour, minute, second, zone = match.groups()
    try:
        moment = datetime.datetime(int(year), int(month), int(day), int(hour), int(minute), int(second or 0))
    except ValueError:
        return None
    return calendar.timegm(moment.timetuple()) - zone_offset(zone)


def zone_offset(zone):
    if zone in "Zz":
        return 0
    sign = -1 if zone[0] == "-" else 1
    digits = zone[1:].replace(":", "")
    return sign * (int(digits[:2]) * 3600 + int(digits[2:]) * 60)


def parse_date(text):
    """The same text if it is a real date, else None."""
    try:
        datetime.datetime.strptime(text, "%Y-%m-%d")
    except ValueError:
        return None
    return text if len(text) == 10 else None


def date_text(days):
    return (datetime.date(1970, 1, 1) + datetime.timedelta(days=days)).isoformat()


def start_of_minute(seconds):
    return seconds - seconds % 60
