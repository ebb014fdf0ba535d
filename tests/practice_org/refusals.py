# SPDX-License-Identifier: MIT
"""What the org's administrator may have set up so that log-ins are refused, and in which words."""

EVERY = ("refresh_token", "client_credentials", "authorization_code", "urn:ietf:params:oauth:grant-type:jwt-bearer")
OF_USERS = tuple(grant for grant in EVERY if grant != "client_credentials")

# name: (grants it concerns, error, error_description)
POLICIES = {
    "inactive_user": (EVERY, "invalid_grant", "inactive user"),
    "inactive_organization": (EVERY, "invalid_grant", "inactive organization"),
    "login_denied": (OF_USERS, "invalid_grant", "authentication failure"),
    "ip_restricted": (EVERY, "invalid_grant", "ip restricted"),
    "not_approved": ((EVERY[0], EVERY[3]), "invalid_grant", "user hasn't approved this consumer"),
    "not_admin_approved": (EVERY, "invalid_app_access", "user is not admin approved to access this app"),
    "generic_host": (("client_credentials",), "invalid_grant", "request not supported on this domain"),
    "external_app_on_generic_host": (EVERY, "app_not_found", "External client app is not installed in this org"),
    "no_run_as_user": (("client_credentials",), "invalid_grant", "no client credentials user enabled"),
    "login_rate": (EVERY, "invalid_grant", "login rate exceeded"),
    "grant_off": (EVERY, "unsupported_grant_type", "grant type not supported"),
}
# The same at the authorize page; these come back in the redirect.
PAGE_POLICIES = {
    "app_blocked": ("OAUTH_APP_BLOCKED", "this app is blocked by admin"),
    "app_uninstalled": ("OAUTH_APPROVAL_ERROR_GENERIC", "An unexpected error has occured during authentication."),
}
SCOPES = frozenset("api web full refresh_token offline_access id openid profile email address phone chatter_api "
                   "custom_permissions visualforce content lightning".split())


class Refused(Exception):
    def __init__(self, error, description, status=400):
        super().__init__(error)
        self.error, self.description, self.status = error, description, status


def apply(policies, grant):
    for name in policies:
        grants, error, description = POLICIES.get(name, ((), "", ""))
        if grant in grants:
            raise Refused(error, description)


def at_the_page(policies):
    """(error, description) for the redirect, or None."""
    return next((PAGE_POLICIES[name] for name in policies if name in PAGE_POLICIES), None)


def known(name):
    return name in POLICIES or name in PAGE_POLICIES
