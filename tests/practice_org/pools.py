# SPDX-License-Identifier: MIT
"""Invented words that the records are made of."""

COMPANY_HEADS = (
    "Northwind", "Blue Harbor", "Redwood", "Silverline", "Kestrel", "Granite Peak", "Sunfield", "Ironbridge", "Lakeside",
    "Maple & Stone", "Pioneer", "Quarry Hill", "Riverton", "Stellar", "Tidewater", "Umbra", "Vantage", "Westmark",
    "Yellowtail", "Zephyr", "Alder", "Brightwater", "Cobalt", "Driftwood", "Elmhurst", "Foxglove", "Greyfriars", "Hollow Oak",
)
COMPANY_TAILS = (
    "Traders", "Logistics", "Robotics", "Foods", "Textiles", "Energy", "Medical", "Software", "Partners", "Aviation",
    "Instruments", "Paper Co.", "Shipping", "Optics", "Brewing", "Insurance",
)
COMPANIES = ["%s %s" % (head, tail) for tail in COMPANY_TAILS for head in COMPANY_HEADS]

FIRST_NAMES = (
    "Ada", "Bruno", "Chloé", "Dmitri", "Esra", "Farid", "Grace", "Hiroshi", "Ines", "Jonas", "Kamala", "Lars", "Mei",
    "Nadia", "Oskar", "Priya", "Quentin", "Rosa", "Søren", "Tomás", "Uma", "Viktor", "Wanda", "Xavier", "Yuki", "Zoë",
)
LAST_NAMES = (
    "Abbott", "Bianchi", "Castillo", "Dubois", "Eriksen", "Fischer", "García", "Haddad", "Ivanova", "Jansen", "Kowalski",
    "Lindqvist", "Müller", "Nakamura", "O'Brien", "Petrov", "Quist", "Rossi", "Şahin", "Tanaka", "Ueda", "van der Berg",
    "Wójcik", "Xu", "Yılmaz", "Zimmermann", "D'Angelo", "Okafor",
)
SALUTATIONS = ("Mr.", "Ms.", "Mrs.", "Dr.", "Prof.")
TITLES = ("CEO", "CFO", "VP, Sales", "Director of Operations", "Buyer", "Plant Manager", "Engineer", "Head of R&D",
          "Office Manager", "Procurement Lead")
DEPARTMENTS = ("Sales", "Finance", "Operations", "Research & Development", "Support", "Legal")

# street, city, state, postal code, country
PLACES = (
    ("1 Harbor Way", "Portland", "OR", "97201", "United States"),
    ("220 Constitution Ave\nSuite 400", "Austin", "TX", "78701", "United States"),
    ("14 Rue de l'Église", "Lyon", None, "69002", "France"),
    ("Große Straße 7", "Köln", "NRW", "50667", "Germany"),
    ("3-2-1 Nihonbashi", "Tokyo", None, "103-0027", "Japan"),
    ("9 O'Connell Street", "Dublin", None, "D01 F5P2", "Ireland"),
    ("Calle Mayor 12, 3º B", "Madrid", None, "28013", "Spain"),
    ("77 Queen St W", "Toronto", "ON", "M5H 2M5", "Canada"),
    ("500 Collins St", "Melbourne", "VIC", "3000", "Australia"),
    ("12 Strandvägen", "Stockholm", None, "114 56", "Sweden"),
    ("Av. Paulista 1000", "São Paulo", "SP", "01310-100", "Brazil"),
    ("İstiklal Caddesi 15", "İstanbul", None, "34430", "Türkiye"),
    (None, None, None, None, None),
)


def places(part):
    return [place[part] for place in PLACES]


INDUSTRIES = ("Agriculture", "Apparel", "Banking", "Biotechnology", "Construction", "Education", "Electronics", "Energy",
              "Food & Beverage", "Healthcare", "Insurance", "Manufacturing", "Retail", "Technology", "Transportation")
ACCOUNT_TYPES = ("Prospect", "Customer - Direct", "Customer - Channel", "Technology Partner", "Other")
RATINGS = ("Hot", "Warm", "Cold")
PRIORITIES = ("High", "Medium", "Low")
LEAD_SOURCES = ("Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other")
STAGES = ("Prospecting", "Qualification", "Proposal/Price Quote", "Negotiation/Review", "Closed Won", "Closed Lost")
COLORS = ("Red", "Green", "Blue", "Yellow", "Black")

SENTENCES = (
    "Call back after the trade fair.",
    "They asked for a second quote, with freight included.",
    "Prefers e-mail; does not answer the phone on Fridays.",
    "Contract runs out at the end of the year.\nRenewal to be discussed.",
    "Line one\nLine two\n\nLine four, after an empty one.",
    "Met at the \"Open House\" in spring.",
    "Discount of 5 % agreed & signed.",
    "Delivery address differs from <billing> address.",
    "Très bon contact – à relancer en septembre.",
    "Path on their side: C:\\shared\\orders",
    "Tab\there, and a trailing remark.",
)

AWKWARD_NAMES = {
    3: "O'Neil & Sons <Ltd>",
    7: "日本電産株式会社 🚀",
    11: 'The "Quoted" Company',
    13: "Ünïcödé Brûlée GmbH — 100 % 漢字",
    17: "Back\\slash/and/slash",
    19: "%s %d %n 50% {curly} $HOME `tick`",
}
AWKWARD_TEXTS = {
    2: "before\u0000after a NUL",
    4: "tab\tnewline\nquote\" backslash\\ apostrophe' amp& lt< 👩‍👩‍👧‍👦 e\u0301",
    6: ("Lorem ipsum dolor sit amet, consectetur adipiscing elit. " * 540)[:30000],
    8: "\u2028line separator\u2029 and \u00a0no-break space, \ufeffmark, \u200bzero width",
    10: "\u0001\u0002\u001f control characters \u007f",
}
