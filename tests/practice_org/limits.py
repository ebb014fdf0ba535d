# SPDX-License-Identifier: MIT
"""/limits, /limits/recordCount, and the maps of versions and resources."""
from .rest import answer
from .world import FIRST_VERSION, LAST_VERSION

FIXED = {
    "AnalyticsExternalDataSizeMB": 40960, "ConcurrentAsyncGetReportInstances": 200, "ConcurrentSyncReportRuns": 20,
    "DailyAsyncApexExecutions": 250000, "DailyBulkApiBatches": 15000, "DailyBulkV2QueryFileStorageMB": 976562,
    "DailyBulkV2QueryJobs": 10000, "DailyDeliveredPlatformEvents": 10000, "DailyDurableStreamingApiEvents": 10000,
    "DailyGenericStreamingApiEvents": 10000, "DailyStandardVolumePlatformEvents": 10000, "DailyStreamingApiEvents": 10000,
    "DailyWorkflowEmails": 390, "DurableStreamingApiConcurrentClients": 20, "HourlyAsyncReportRuns": 1200,
    "HourlyDashboardRefreshes": 200, "HourlySyncReportRuns": 500, "HourlyTimeBasedWorkflow": 50, "MassEmail": 10,
    "SingleEmail": 15, "StreamingApiConcurrentClients": 20,
}
STORAGE_MB, FILE_STORAGE_MB = 10240, 20480
ROWS_PER_MB = 512  # most records are charged two kilobytes
TYPOGRAPHIC = 42
SEASONS = ("Summer", "Winter", "Spring")


def live_count(table):
    deleted = sum(1 for row in table.overlay if table.is_deleted(row))
    return table.next - len(table.purged) - deleted


def limits(call):
    world = call.world
    used = sum(live_count(table) for table in world.tables.values()) // ROWS_PER_MB
    found = {name: {"Max": size, "Remaining": size} for name, size in FIXED.items()}
    found["DailyApiRequests"] = {"Max": world.quota, "Remaining": world.quota - world.used}
    found["DataStorageMB"] = {"Max": STORAGE_MB, "Remaining": STORAGE_MB - used}
    found["FileStorageMB"] = {"Max": FILE_STORAGE_MB, "Remaining": FILE_STORAGE_MB - 12}
    return answer(dict(sorted(found.items())))


def record_count(call):
    asked = call.params.get("sObjects")
    names = [name.strip() for name in asked.split(",")] if asked else sorted(call.world.objects)
    found = [sobject for sobject in map(call.world.find_object, names) if sobject]
    counts = [{"count": live_count(call.world.table(sobject)), "name": sobject.name} for sobject in found]
    return answer({"sObjects": [entry for entry in counts if entry["count"] or asked]})


def label(version):
    """31 is Summer '14; there are three releases a year. One label has a typographic apostrophe."""
    season = SEASONS[(version - FIRST_VERSION) % 3]
    year = 14 + (version - FIRST_VERSION + 2) // 3
    return "%s %s%02d" % (season, "\u2019" if version == TYPOGRAPHIC else "'", year)


def versions():
    return [{"label": label(number), "url": "/services/data/v%d.0" % number, "version": "%d.0" % number}
            for number in range(FIRST_VERSION, LAST_VERSION + 1)]


KNOWN = frozenset("v%d.0" % number for number in range(FIRST_VERSION, LAST_VERSION + 1))
RETIRED = frozenset("v%d.0" % number for number in range(7, FIRST_VERSION))


def resources(call):
    base = "/services/data/%s/" % call.version
    names = ("sobjects", "query", "queryAll", "limits", "composite")
    found = {name: base + name for name in names}
    found["identity"] = "%s/id/%s/%s" % (call.instance_url, call.world.org_id, call.world.user_id)
    return answer(found)
