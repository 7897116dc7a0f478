"""Accounts: people, teams, sessions, second factors, API keys."""

from console.auth.accounts.abilities import Ability
from console.auth.accounts.api_keys import (
    CreatedKey,
    Key,
    WrongNetwork,
    actor_of_key,
    create_key,
    create_own_key,
    every_key,
    key_of,
    keys_of,
    revoke_key,
    sender_of_key,
    withdraw_key,
)
from console.auth.accounts.entry import lets_in
from console.auth.accounts.entry_changes import open_again
from console.auth.accounts.factors import factor_of, must_have, reset_factor
from console.auth.accounts.invitations import (
    Invitation,
    Sent,
    accept,
    invite,
    open_invitation,
    resend,
    revoke,
)
from console.auth.accounts.key_makers import makers_of_keys
from console.auth.accounts.password_letters import send as send_letters
from console.auth.accounts.person_changes import (
    change_person,
    change_roles,
    disable_person,
    enable_person,
    remove_person,
)
from console.auth.accounts.persons import (
    AccountNames,
    Person,
    Team,
    actor_of_person,
    create_person,
    is_closed,
    names,
    people,
    person,
    person_of_email,
    require_person,
    search,
    set_password,
    team_id,
    teams,
)
from console.auth.accounts.recent_confirmation import require_recent
from console.auth.accounts.service_accounts import (
    create_key_for,
    create_service_account,
    require_service_account,
    require_use,
    service_account,
    service_accounts,
    usable,
)
from console.auth.accounts.sessions import Standing, last_visit, renewed, session_of, sessions_of, sign_out
from console.auth.accounts.signing_in import (
    CodeWanted,
    note_stranger,
    sign_in,
    sign_in_with_code,
    waits_for_code,
)
from console.core.actor import COMMAND_LINE

OPEN_MODULES = frozenset(
    {
        "abilities",
        "absences",
        "authority",
        "confirmation",
        "directory",
        "entry",
        "entry_changes",
        "factors",
        "identities",
        "invitations",
        "oidc",
        "one_time",
        "others_keys",
        "password_letters",
        "passwords",
        "person_changes",
        "profile",
        "provider_logouts",
        "provider_sign_in",
        "rates",
        "recent_confirmation",
        "sessions",
        "signing_in",
        "teamwork",
        "throttle",
    }
)
