# SPDX-License-Identifier: MIT
"""RS256 signatures, verified with what Python has: a public key or certificate in PEM form, and pow()."""
import base64
import hashlib
import re

SHA256 = bytes.fromhex("3031300d060960864801650304020105000420")  # DigestInfo of a SHA-256 hash
RSA_KEY = bytes.fromhex("2a864886f70d010101")  # OID rsaEncryption
INTEGER, BIT_STRING, OBJECT_ID, SEQUENCE = 2, 3, 6, 0x30


class Der:
    """Reads DER values one after the other."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def more(self):
        return self.at < len(self.data)

    def next(self):
        """(tag, content)"""
        tag, length, at = self.data[self.at], self.data[self.at + 1], self.at + 2
        if length & 0x80:
            size = length & 0x7f
            length, at = int.from_bytes(self.data[at:at + size], "big"), at + size
        if at + length > len(self.data):
            raise ValueError("a DER value is cut")
        self.at = at + length
        return tag, self.data[at:at + length]


def public_key(der):
    """(modulus, exponent) of the first RSA key in it, however deep: in a certificate or a bare key."""
    reader = Der(der)
    parts = []
    while reader.more():
        parts.append(reader.next())
    for index, (tag, content) in enumerate(parts):
        if tag == BIT_STRING and index and RSA_KEY in parts[index - 1][1]:
            numbers = Der(Der(content[1:]).next()[1])
            return tuple(int.from_bytes(numbers.next()[1], "big") for _ in range(2))
        found = public_key(content) if tag in (SEQUENCE, 0xa0) else None
        if found:
            return found
    return None


def load(path):
    with open(path, encoding="ascii") as file:
        block = re.search(r"-----BEGIN (?:CERTIFICATE|PUBLIC KEY)-----(.+?)-----END", file.read(), re.DOTALL)
    key = public_key(base64.b64decode("".join(block.group(1).split()))) if block else None
    if key is None:
        raise ValueError("%s holds no certificate or public key of RSA" % path)
    return key


def verify(key, message, signature):
    """RSASSA-PKCS1-v1_5 with SHA-256."""
    modulus, exponent = key
    size = (modulus.bit_length() + 7) // 8
    if len(signature) != size:
        return False
    opened = pow(int.from_bytes(signature, "big"), exponent, modulus).to_bytes(size, "big")
    told = SHA256 + hashlib.sha256(message).digest()
    return opened == b"\0\1" + b"\xff" * (size - len(told) - 3) + b"\0" + told
