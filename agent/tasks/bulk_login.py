"""Bulk login at the agent: keep a session that works, else sign in by password, once."""

from pydantic import JsonValue, SecretStr

from agent.tasks.context import TaskContext
from agent.tasks.operations import signs_in, verifies_session
from common.errors import CredentialsRefusedError, SessionExpiredError
from common.operations import Credentials, SignedIn


async def run(context: TaskContext, driver: object) -> dict[str, JsonValue]:
    """Sign the account in and say whose session it is and how it came about."""
    signed_in, by = await _sign_in(context, driver)
    context.save_session(signed_in)
    who = signed_in.identity
    context.progress("Signed in")
    context.log("info", f"Signed in as {who.username}, by {by}.")
    return {"user_id": who.user_id, "username": who.username, "signed_in_by": by}


async def _sign_in(context: TaskContext, driver: object) -> tuple[SignedIn, str]:
    account = context.account
    if account.session and not context.item.parameters.get("force"):
        context.progress("Checking the saved session")
        try:
            return await verifies_session(driver).verify_session(), "session"
        except SessionExpiredError as expired:
            context.log("info", expired.message)
    context.check_cancel()
    context.progress("Signing in")
    context.log("info", f"Signing in with the password, by {account.driver}.")
    return await signs_in(driver).sign_in(_credentials(context)), "password"


def _credentials(context: TaskContext) -> Credentials:
    account = context.account
    if account.password is None or not account.password.get_secret_value():
        raise CredentialsRefusedError(
            f"No password is stored for {account.username}.",
            advice="Add the account's password, then retry the item.",
            subject=account.username,
            field="password",
        )
    seed = account.totp_seed
    return Credentials(
        account.username,
        account.password,
        SecretStr(seed.get_secret_value()) if seed and seed.get_secret_value() else None,
    )
