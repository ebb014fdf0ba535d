# SPDX-License-Identifier: MIT
"""Command line: options in, one line of JSON out, then serve."""
import argparse
import json
import os
import signal
import sys
import threading

from . import refusals, rsa
from .http1 import tls_context
from .org import Org
from .world import World


def records_option(text):
    name, equals, number = text.partition("=")
    if not equals or not number.isdigit():
        raise argparse.ArgumentTypeError("Object=N is expected, not %s" % text)
    return name, int(number)


def parser():
    options = argparse.ArgumentParser(prog="practice_org", description="A Salesforce org on loopback.")
    options.add_argument("--port", type=int, default=0, help="0 takes a free one")
    options.add_argument("--bind", default="127.0.0.1")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--records", type=records_option, action="append", default=[], metavar="Object=N")
    options.add_argument("--latency-ms", type=float, default=0, help="added to every reply")
    options.add_argument("--quota", type=int, default=100000, help="API requests a day")
    options.add_argument("--used", type=int, default=0, help="API requests used already")
    options.add_argument("--log", metavar="FILE", help="one line of JSON per call")
    options.add_argument("--tls-cert", metavar="FILE")
    options.add_argument("--tls-key", metavar="FILE")
    options.add_argument("--rotation", action="store_true", help="refresh tokens are good for one use")
    options.add_argument("--callback", action="append", default=[], metavar="URL",
                         help="a registered redirect URI; without any, every loopback URI is accepted")
    options.add_argument("--jwt-cert", metavar="FILE", help="certificate or public key of the app, in PEM form")
    options.add_argument("--policy", action="append", default=[], metavar="NAME", choices=sorted(
        list(refusals.POLICIES) + list(refusals.PAGE_POLICIES)), help="refuse log-ins for this reason")
    options.add_argument("--fault", type=json.loads, action="append", default=[], metavar="JSON")
    options.add_argument("--until-eof", action="store_true", help="exit when standard input ends")
    return options


def leave(*_):
    os._exit(0)


def leave_at_eof():
    try:
        while os.read(0, 4096):
            pass
    finally:
        leave()


def make_org(options):
    world = World(options.seed, dict(options.records), options.quota, options.used)
    tls = tls_context(options.tls_cert, options.tls_key) if options.tls_cert else None
    jwt_key = rsa.load(options.jwt_cert) if options.jwt_cert else None
    return Org(world, (options.bind, options.port), options.log, options.latency_ms, options.rotation, options.fault, tls,
               callbacks=options.callback, jwt_key=jwt_key, policies=options.policy)


def main(arguments=None):
    options = parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)
    try:
        org = make_org(options)
    except (OSError, ValueError) as error:
        print("practice_org: %s" % error, file=sys.stderr)
        return 1
    print(json.dumps(dict(org.announcement(), pid=os.getpid())), flush=True)
    if options.until_eof:
        threading.Thread(target=leave_at_eof, daemon=True).start()
    org.serve_forever()
    return 0
