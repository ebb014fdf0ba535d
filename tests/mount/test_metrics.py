# SPDX-License-Identifier: MIT
""".forcefs/metrics: OpenMetrics text with true figures, at no call."""
import json
import os
import re

from clients import output

SAMPLE = re.compile(r'([a-z_]+)\{((?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*",?)+)\} (\d+(?:\.\d+)?)')
SUFFIXES = {"counter": ["_total"], "gauge": [""], "histogram": ["_bucket", "_count", "_sum"]}


def parse(text):
    """{sample: {labels: value}}, checked by the rules of OpenMetrics."""
    assert text.endswith("\n# EOF\n") and text.count("# EOF") == 1
    found, types, family = {}, {}, None
    for line in text.splitlines()[:-1]:
        if line.startswith("#"):
            _, word, name, rest = line.split(" ", 3)
            assert word in ("HELP", "TYPE", "UNIT")
            assert name == family or name not in types, "families do not mix"
            family = name
            if word == "TYPE":
                types[name] = rest
                assert rest in SUFFIXES, "types that node_exporter takes too"
            elif word == "UNIT":
                assert name.endswith("_" + rest)
            continue
        name, labels, value = SAMPLE.fullmatch(line).groups()
        assert name in [family + suffix for suffix in SUFFIXES[types[family]]], line
        labels = tuple(re.findall(r'([a-z_]+)="((?:[^"\\]|\\.)*)"', labels))
        assert labels not in found.setdefault(name, {}), "no sample twice"
        found[name][labels] = float(value)
    return found


def metrics(mount):
    return parse(output("cat", mount.path(".forcefs", "metrics")))


def one(found, name, **labels):
    """The value of the one sample with these labels, whatever others it has."""
    values = [value for have, value in found.get(name, {}).items() if set(labels.items()) <= set(have)]
    assert len(values) == 1, (name, labels, found.get(name))
    return values[0]


def test_the_figures_are_true(stage):
    org = stage.org(quota=1000, used=300)
    mount = stage.mount(org, "ttl=600")
    os.listdir(mount.path("Account"))
    record = mount.record("Account", org.ids("Account")[0])
    with open(record, encoding="utf-8") as file:
        values = json.load(file)
    with open(record, "w", encoding="utf-8") as file:
        json.dump(dict(values, Phone="1"), file)
    try:
        with open(record, "w", encoding="utf-8") as file:
            file.write("no JSON")
    except OSError:
        pass
    before = org.mark()
    found = metrics(mount)
    assert org.counts(before)["calls"] == 0
    assert all(dict(labels)["org"] == "acme" and dict(labels)["mount"] == mount.dir
               for labels in (labels for samples in found.values() for labels in samples))
    assert one(found, "forcefs_api_calls_total") == org.counts()["counted"]
    assert one(found, "forcefs_api_request_seconds_count") == one(found, "forcefs_api_calls_total")
    assert one(found, "forcefs_api_request_seconds_bucket", le="+Inf") == org.counts()["counted"]
    bounds = [value for _, value in sorted((float(dict(labels)["le"]), value) for labels, value
                                           in found["forcefs_api_request_seconds_bucket"].items())]
    assert bounds == sorted(bounds) and len(bounds) == 11
    assert one(found, "forcefs_api_budget_used") == 300 + org.counts()["counted"]
    assert one(found, "forcefs_api_budget_max") == 1000 and one(found, "forcefs_api_budget_reserve") == 200
    assert one(found, "forcefs_saves_total") == 1 and one(found, "forcefs_failed_saves_total") == 1
    assert one(found, "forcefs_errors_total", errno="EINVAL") >= 1
    assert one(found, "forcefs_cached_records", object="Account") == len(os.listdir(mount.path("Account")))
    assert one(found, "forcefs_cached_bytes", object="Account") > 1000
    assert one(found, "forcefs_online") == 1 and one(found, "forcefs_build_info", api_version="67.0") == 1
    assert one(found, "forcefs_cache_hits_total") >= 1 and one(found, "forcefs_cache_misses_total") >= 1


def test_codes_of_salesforce_are_labels(stage):
    mount = stage.mount(stage.org())
    try:
        os.listdir(mount.path("ContentDocumentLink"))
    except PermissionError:
        pass
    assert one(metrics(mount), "forcefs_errors_total", errno="EPERM", code="MALFORMED_QUERY") == 1


def test_offline_shows_and_no_token_does(stage):
    org = stage.org()
    mount = stage.mount(org, "timeout=2")
    org.stop()
    try:
        os.listdir(mount.path("Account"))
    except OSError:
        pass
    assert one(metrics(mount), "forcefs_online") == 0
    text = output("cat", mount.path(".forcefs", "metrics"))
    assert not any(token in text for token in mount.home.tokens())
