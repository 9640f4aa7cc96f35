"""What a client asks before it signs in: device registration, nonces, the password key."""

import secrets

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from practice.http.answers import JsonAnswer, RefusedError
from practice.private_api.forms import form_fields
from practice.state.platform import PlatformState

ACCESS_CONTEXT = "account access context"
_CAA = "/api/v1/bloks/async_action/com.bloks.www"


class PreflightRoutes:
    """Routes that need no session."""

    def __init__(self, state: PlatformState) -> None:
        self._keys = state.keys

    def routes(self) -> list[Route]:
        """The routes of this area."""
        post = ["POST"]
        return [
            Route("/graphql_www", self.register_device, methods=post),
            Route(
                f"{_CAA}.bloks.caa.login.process_client_data_and_redirect/",
                self.open_sign_in,
                methods=post,
            ),
            Route("/api/v1/attestation/create_android_keystore/", self.attest, methods=post),
            Route(f"{_CAA}.caa.login.oauth.token.fetch.async/", self.acknowledge, methods=post),
            Route("/api/v1/qe/sync/", self.password_key, methods=["GET"]),
            Route("/api/v1/launcher/sync/", self.acknowledge, methods=post),
        ]

    async def register_device(self, request: Request) -> Response:
        """The one GraphQL mutation that signing in needs."""
        fields = await form_fields(request)
        if fields.get("fb_api_req_friendly_name") != "IGUSDIDRegistrationMutation":
            raise RefusedError(404, "not implemented")
        return JsonAnswer({"data": {"xfb_usdid_registration": {"success": True}}, "status": "ok"})

    async def open_sign_in(self, _: Request) -> Response:
        """Issue the context that a password submission has to bring back."""
        context = self._keys.seal(ACCESS_CONTEXT, secrets.token_hex(8))
        node = {"data": {"key": "CAA_ACCOUNT_ACCESS_CONTEXT:aac", "initial": context}}
        return JsonAnswer({"layout": {"bloks_payload": {"data": [node]}}, "status": "ok"})

    async def attest(self, _: Request) -> Response:
        """Issue the nonce of the device's attestation."""
        return JsonAnswer({"challenge_nonce": secrets.token_urlsafe(24), "status": "ok"})

    async def acknowledge(self, _: Request) -> Response:
        """Steps that a client takes for form's sake."""
        return JsonAnswer({"status": "ok"})

    async def password_key(self, _: Request) -> Response:
        """Hand out the key that passwords are encrypted for."""
        headers = {
            "ig-set-password-encryption-key-id": str(self._keys.key_id),
            "ig-set-password-encryption-pub-key": self._keys.public_key_header,
        }
        return JsonAnswer({"status": "ok"}, headers=headers)
