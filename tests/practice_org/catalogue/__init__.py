# SPDX-License-Identifier: MIT
"""The objects of the practice org."""
from . import custom, files, sales, service, setup


def all_objects():
    """New definitions every time: a field added to one org must not show in another."""
    made = sales.objects() + service.objects() + files.objects() + custom.objects() + setup.objects()
    return {sobject.name: sobject for sobject in made}
