# SPDX-License-Identifier: MIT
"""The org's own business rules: validation rules that refuse a save, triggers that change more than was asked.

Both get `new` (the values after the save, as a dict) and `changed` (the names that the caller set).
"""
from .errors import refuse


def invalid(message, field=None):
    return refuse(400, "FIELD_CUSTOM_VALIDATION_EXCEPTION", message, [field] if field else [])


def amount_not_negative(field):
    def rule(new, changed):
        value = new.get(field)
        if field in changed and value is not None and value < -1000000:
            raise invalid("An amount below minus one million needs the approval of finance.", field)
    return rule


def due_after_issue(new, changed):
    issued, due = new.get("Issued__c"), new.get("Due__c")
    if issued and due and due < issued:
        raise invalid("An invoice cannot be due before it is issued.")


def close_date_after_start(new, changed):
    start, end = new.get("EffectiveDate"), new.get("EndDate")
    if start and end and end < start:
        raise invalid("The end date must not lie before the start date.", "EndDate")


PRIORITY_OF_RATING = {"Hot": "High", "Warm": "Medium", "Cold": "Low"}


def account_priority(new, changed):
    """A trigger: who changes the rating finds the priority changed as well."""
    if "Rating" in changed and "CustomerPriority__c" not in changed:
        new["CustomerPriority__c"] = PRIORITY_OF_RATING.get(new.get("Rating"))
