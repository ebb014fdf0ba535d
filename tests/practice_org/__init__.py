# SPDX-License-Identifier: MIT
"""A Salesforce org on loopback, for tests, benchmarks and the demo."""
