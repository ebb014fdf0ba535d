# SPDX-License-Identifier: MIT
"""Accounts, contacts, leads and what is sold to them."""
from .. import clock, pools
from ..compounds import address, person
from ..fields import Field
from ..generators import Compute, Const, Named, Pick, Series, Special
from ..rules import account_priority, amount_not_negative, close_date_after_start
from ..schema import FULL, READ, SObject, created, is_deleted, lookup, owner, owner_or_queue, record_id, standard


def revenue(row, number):
    return (0.0, 150000.0, 0.1, 1.0e7, 2.5e9, 48000000.0, -1200.5, 99999.99)[number % 8] if number % 3 else \
        float(number % 90000000)


def phone(row, number):
    return "(%03d) 555-%04d" % (200 + number % 700, number // 700 % 10000)


def phone_field(name, nulls=10):
    return Field("phone", name, Compute(phone, nulls=nulls))


def website(row, number):
    return "https://www.example.com/%x" % (number % 0xFFFFF)


def money(low, span):
    return lambda row, number: round(low + number % (span * 100) / 100.0, 2)


def whole(low, span):
    return lambda row, number: low + number % span


def day(first, span):
    return lambda row, number: clock.date_text(first + number % span)


def objects():
    return [account(), account_history(), contact(), lead(), opportunity(), line_item(), product(), pricebook(),
            pricebook_entry(), campaign(), campaign_member(), contract(), order()]


def account():
    return SObject("Account", "001", standard(
        Field("string", "Name", Special(Named(pools.COMPANIES), pools.AWKWARD_NAMES), required=True, name_field=True,
              extra="switchablepersonname", label="Account Name"),
        Field("picklist", "Type", Pick(pools.ACCOUNT_TYPES, nulls=10), values=pools.ACCOUNT_TYPES, label="Account Type"),
        lookup("ParentId", "Account", nulls=85, label="Parent Account ID"),
        *address("Billing"),
        *address("Shipping"),
        phone_field("Phone"),
        Field("string", "AccountNumber", Series("CD", 6, 100001), length=40),
        Field("url", "Website", Compute(website, nulls=20)),
        Field("picklist", "Industry", Pick(pools.INDUSTRIES, nulls=10), values=pools.INDUSTRIES),
        Field("currency", "AnnualRevenue", Compute(revenue, nulls=15), scale=0),
        Field("int", "NumberOfEmployees", Compute(whole(1, 20000), nulls=15), label="Employees"),
        Field("textarea", "Description", Special(Pick(pools.SENTENCES, nulls=20), pools.AWKWARD_TEXTS), length=32000,
              label="Account Description"),
        Field("picklist", "Rating", Pick(pools.RATINGS, nulls=20), values=pools.RATINGS,
              label="Account Rating"),
        Field("picklist", "CustomerPriority__c", Pick(pools.PRIORITIES, nulls=30), values=pools.PRIORITIES),
        owner(), label="Account"), rows=200,
        flags=FULL | {"feedEnabled", "mergeable"}, triggers=[account_priority], rules=[amount_not_negative("AnnualRevenue")])


def account_history():
    return SObject("AccountHistory", "017", [
        record_id("Account History"), is_deleted(),
        lookup("AccountId", "Account", read_only=True),
        *created(),
        Field("picklist", "Field", Pick(("Rating", "Name", "Owner", "Phone")), read_only=True, length=255,
              values=("Rating", "Name", "Owner", "Phone"), label="Changed Field"),
        Field("picklist", "DataType", Const("Text"), read_only=True, length=40, values=("Text", "EntityId")),
        Field("anyType", "OldValue", Pick(("Cold", "Warm", None)), read_only=True),
        Field("anyType", "NewValue", Pick(("Hot", "Warm", "Cold")), read_only=True),
    ], rows=80, flags=READ | {"replicateable"}, shows_prefix=False, associate=("History", "Account"), plural="Account History")


def email(row, number):
    return "%s.%d@example.com" % (pools.FIRST_NAMES[number % 26].encode("ascii", "ignore").decode().lower(), row)


def contact():
    return SObject("Contact", "003", standard(
        lookup("AccountId", "Account", nulls=5),
        *person(),
        *address("Other"),
        *address("Mailing"),
        phone_field("Phone"), phone_field("Fax", 70), phone_field("MobilePhone", 30),
        lookup("ReportsToId", "Contact", nulls=80),
        Field("email", "Email", Compute(email, nulls=5), id_lookup=True),
        Field("string", "Title", Pick(pools.TITLES, nulls=10), length=128),
        Field("string", "Department", Pick(pools.DEPARTMENTS, nulls=20), length=80),
        Field("picklist", "LeadSource", Pick(pools.LEAD_SOURCES, nulls=20), values=pools.LEAD_SOURCES),
        Field("date", "Birthdate", Compute(day(-10000, 20000), nulls=30)),
        Field("textarea", "Description", Special(Pick(pools.SENTENCES, nulls=40), pools.AWKWARD_TEXTS), length=32000),
        Field("string", "Legacy_Id__c", Series("LEG-", 7), length=20, unique=True, external_id=True, case_sensitive=False),
        owner(), label="Contact"), rows=400, flags=FULL | {"feedEnabled", "mergeable"})


def lead():
    return SObject("Lead", "00Q", standard(
        *person(),
        Field("string", "Title", Pick(pools.TITLES, nulls=10), length=128),
        Field("string", "Company", Special(Named(pools.COMPANIES), pools.AWKWARD_NAMES), required=True),
        *address(""),
        phone_field("Phone"), phone_field("MobilePhone", 50),
        Field("email", "Email", Compute(email, nulls=10), id_lookup=True),
        Field("url", "Website", Compute(website, nulls=50)),
        Field("textarea", "Description", Pick(pools.SENTENCES, nulls=50), length=32000),
        Field("picklist", "LeadSource", Pick(pools.LEAD_SOURCES, nulls=20), values=pools.LEAD_SOURCES),
        Field("picklist", "Status", Pick(LEAD_STATUSES), values=LEAD_STATUSES, required=True, default=LEAD_STATUSES[0]),
        Field("picklist", "Industry", Pick(pools.INDUSTRIES, nulls=20), values=pools.INDUSTRIES),
        Field("picklist", "Rating", Pick(pools.RATINGS, nulls=40), values=pools.RATINGS),
        Field("currency", "AnnualRevenue", Compute(revenue, nulls=40), scale=0),
        Field("int", "NumberOfEmployees", Compute(whole(1, 5000), nulls=30)),
        owner_or_queue(),
        Field("boolean", "IsConverted", updateable=False),
        Field("boolean", "IsUnreadByOwner", Pick((True, False))),
        label="Lead"), rows=120, flags=FULL | {"feedEnabled", "mergeable"})


LEAD_STATUSES = ("Open - Not Contacted", "Working - Contacted", "Closed - Converted", "Closed - Not Converted")


def expected_revenue(amount, probability):
    return None if amount is None or probability is None else float(amount) * float(probability) / 100


def opportunity():
    return SObject("Opportunity", "006", standard(
        lookup("AccountId", "Account", nulls=2),
        Field("boolean", "IsPrivate"),
        Field("string", "Name", Named(["%s - deal" % name for name in pools.COMPANIES]), length=120, required=True,
              name_field=True),
        Field("textarea", "Description", Pick(pools.SENTENCES, nulls=50), length=32000),
        Field("picklist", "StageName", Pick(pools.STAGES, key="stage"), values=pools.STAGES, required=True, label="Stage"),
        Field("currency", "Amount", Compute(revenue, nulls=10)),
        Field("percent", "Probability", Pick((10.0, 20.0, 50.0, 90.0, 100.0, 0.0), key="stage"), label="Probability (%)",
              defaulted=True),
        Field("currency", "ExpectedRevenue", derive=(expected_revenue, ("Amount", "Probability"))),
        Field("date", "CloseDate", Compute(day(17000, 3000)), required=True),
        Field("picklist", "Type", Pick(("New Customer", "Existing Customer - Upgrade"), nulls=30),
              values=("New Customer", "Existing Customer - Upgrade")),
        Field("string", "NextStep", Pick(pools.SENTENCES, nulls=60)),
        Field("picklist", "LeadSource", Pick(pools.LEAD_SOURCES, nulls=20), values=pools.LEAD_SOURCES),
        Field("boolean", "IsClosed", derive=(lambda stage: str(stage).startswith("Closed"), ("StageName",))),
        Field("boolean", "IsWon", derive=(lambda stage: stage == "Closed Won", ("StageName",))),
        lookup("CampaignId", "Campaign", nulls=70),
        lookup("Pricebook2Id", "Pricebook2", nulls=20),
        owner(), label="Opportunity"), rows=300, flags=FULL | {"deepCloneable", "feedEnabled"}, plural="Opportunities",
        rules=[amount_not_negative("Amount")])


def line_item():
    return SObject("OpportunityLineItem", "00k", standard(
        lookup("OpportunityId", "Opportunity", required=True, updateable=False),
        lookup("PricebookEntryId", "PricebookEntry", updateable=False),
        lookup("Product2Id", "Product2", updateable=False),
        Field("string", "Name", Pick(["Item %s" % color for color in pools.COLORS]), length=376, read_only=True,
              name_field=True),
        Field("double", "Quantity", Compute(lambda row, number: float(1 + number % 40)), required=True, scale=2),
        Field("currency", "UnitPrice", Compute(money(5, 900))),
        Field("currency", "TotalPrice", derive=(lambda quantity, price: None if None in (quantity, price)
                                                else round(float(quantity) * float(price), 2), ("Quantity", "UnitPrice"))),
        Field("string", "Description", Pick(pools.SENTENCES, nulls=60)),
        label="Opportunity Product"), plural="Opportunity Product", rows=500, flags=FULL - {"searchable", "undeletable"})


def product():
    return SObject("Product2", "01t", standard(
        Field("string", "Name", Named(["%s Widget" % color for color in pools.COLORS]), required=True, name_field=True),
        Field("string", "ProductCode", Series("SKU-", 5)),
        Field("textarea", "Description", Pick(pools.SENTENCES, nulls=40), length=4000),
        Field("boolean", "IsActive", Pick((True, True, False)), default=False),
        Field("picklist", "Family", Pick(("Hardware", "Service", None)), values=("Hardware", "Service")),
        label="Product"), rows=40, plural="Products")


def pricebook():
    return SObject("Pricebook2", "01s", standard(
        Field("string", "Name", Named(("Standard Price Book", "Wholesale", "Export")), required=True, name_field=True),
        Field("boolean", "IsActive", Const(True)),
        Field("boolean", "IsStandard", Compute(lambda row, number: row == 0), read_only=True),
        Field("string", "Description", Pick(pools.SENTENCES, nulls=50)),
        label="Price Book"), rows=3)


def pricebook_entry():
    return SObject("PricebookEntry", "01u", standard(
        Field("string", "Name", Pick(["%s Widget" % color for color in pools.COLORS]), read_only=True, name_field=True),
        lookup("Pricebook2Id", "Pricebook2", required=True, updateable=False),
        lookup("Product2Id", "Product2", required=True, updateable=False),
        Field("currency", "UnitPrice", Compute(money(5, 900)), required=True),
        Field("boolean", "IsActive", Const(True)),
        Field("boolean", "UseStandardPrice", Const(False)),
        label="Price Book Entry"), rows=80, plural="Price Book Entries",
        flags=FULL - {"searchable", "triggerable", "undeletable"})


def campaign():
    return SObject("Campaign", "701", standard(
        Field("string", "Name", Named(("Spring Fair", "Newsletter", "Webinar", "Open House")), length=80, required=True,
              name_field=True),
        Field("picklist", "Type", Pick(("Webinar", "Trade Show", "Email")), values=("Webinar", "Trade Show", "Email")),
        Field("picklist", "Status", Pick(("Planned", "In Progress", "Completed")),
              values=("Planned", "In Progress", "Completed")),
        Field("date", "StartDate", Compute(day(17500, 2000))),
        Field("currency", "BudgetedCost", Compute(money(0, 50000), nulls=20)),
        Field("double", "ExpectedResponse", Compute(lambda row, number: number % 1000 / 10.0), precision=10, scale=2),
        Field("boolean", "IsActive", Pick((True, False))),
        owner(), label="Campaign"), rows=15)


def campaign_member():
    return SObject("CampaignMember", "00v", standard(
        lookup("CampaignId", "Campaign", required=True, updateable=False),
        lookup("LeadId", "Lead", nulls=60), lookup("ContactId", "Contact", nulls=40),
        Field("picklist", "Status", Pick(("Sent", "Responded")), values=("Sent", "Responded")),
        Field("boolean", "HasResponded", derive=(lambda status: status == "Responded", ("Status",))),
        label="Campaign Member"), rows=100, flags=FULL - {"searchable", "undeletable", "mruEnabled"})


def contract():
    statuses = ("Draft", "In Approval Process", "Activated")
    return SObject("Contract", "800", standard(
        lookup("AccountId", "Account", required=True),
        Field("date", "StartDate", Compute(day(17500, 2000))),
        Field("int", "ContractTerm", Pick((6, 12, 24, 36))),
        Field("picklist", "Status", Pick(statuses), values=statuses, length=40, default="Draft"),
        Field("string", "ContractNumber", Series("", 8, 100), length=30, read_only=True, auto_number=True, required=True,
              name_field=True),
        Field("textarea", "SpecialTerms", Pick(pools.SENTENCES, nulls=50), length=4000),
        *address("Billing"),
        owner(), label="Contract"), rows=40, flags=FULL | {"activateable"})


def order():
    return SObject("Order", "801", standard(
        lookup("AccountId", "Account"), lookup("ContractId", "Contract", nulls=60),
        Field("date", "EffectiveDate", Compute(day(17500, 2000)), required=True),
        Field("date", "EndDate", Const(None)),
        Field("picklist", "Status", Pick(("Draft", "Activated")), values=("Draft", "Activated"), required=True),
        Field("string", "OrderNumber", Series("", 8, 100), length=30, read_only=True, auto_number=True, required=True,
              name_field=True),
        Field("currency", "TotalAmount", Compute(money(0, 20000)), read_only=True),
        *address("Shipping"),
        owner(), label="Order"), rows=60, flags=FULL | {"activateable"}, rules=[close_date_after_start])
