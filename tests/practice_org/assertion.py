# SPDX-License-Identifier: MIT
"""The JWT bearer grant: whether an assertion is signed by the app's certificate, meant for us, and fresh."""
import base64
import json
import time

from . import rsa
from .refusals import Refused

LIFE = 180  # seconds that it may be valid at most
SLACK = 30  # of clocks
HOSTS = ("https://login.salesforce.com", "https://test.salesforce.com")


def decode(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def parse(text):
    """(header, claims, signed bytes, signature)"""
    try:
        head, body, signature = text.split(".")
        header, claims = json.loads(decode(head)), json.loads(decode(body))
        if not isinstance(header, dict) or not isinstance(claims, dict):
            raise ValueError
        return header, claims, ("%s.%s" % (head, body)).encode(), decode(signature)
    except ValueError:
        raise Refused("invalid_grant", "invalid assertion") from None


def check(text, key, client_id, username, host_url):
    """Raises Refused, in the order in which Salesforce looks."""
    header, claims, signed, signature = parse(text)
    if claims.get("iss") != client_id:
        raise Refused("invalid_client_id", "client identifier invalid")
    if key is None or header.get("alg") != "RS256" or not rsa.verify(key, signed, signature):
        raise Refused("invalid_grant", "invalid assertion")
    if str(claims.get("aud", "")).rstrip("/") not in HOSTS + (host_url,):
        raise Refused("invalid_grant", "Audience validation failed")
    expires, now = claims.get("exp"), time.time()
    if not isinstance(expires, int) or not now - SLACK < expires <= now + LIFE + SLACK:
        raise Refused("invalid_grant", "expired authorization code")
    if claims.get("sub") != username:
        raise Refused("invalid_grant", "user hasn't approved this consumer")
