"""Sign-in by OpenID Connect. django-allauth speaks the protocol; who somebody is here, and the pages, are ours."""

import logging
from hashlib import sha256
from typing import Any, NoReturn

import jwt
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.internal import jwtkit
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialLogin, SocialToken
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET
from requests import RequestException, Session

from conversations.errors import Refused, Unavailable
from conversations.models import User
from conversations.people import single_sign_on
from conversations.people.providers import Vouched, check_allowed, person_of
from conversations.people.single_sign_on import Provider
from conversations.vocabulary import SignInWay
from conversations.web.discovery import session_for
from conversations.web.pages import render_page
from conversations.web.signing_in import enter, safe_path

log = logging.getLogger(__name__)

#: Stands in the redirect address that is registered at the provider.
PROVIDER = "observatory"
#: With keys of two halves: one of a shared secret would let the provider's public key sign.
_ALGORITHMS = {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}


@never_cache
@require_GET
def login(request: HttpRequest, provider_id: str) -> HttpResponseBase:
    """Off to the provider. By GET: the policy for forms (form-action 'self') would not follow a form so far."""
    return _answer(OAuth2LoginView, request, provider_id)


@never_cache
@require_GET
def callback(request: HttpRequest, provider_id: str) -> HttpResponseBase:
    """Back from the provider, with a code that is exchanged for the id token."""
    return _answer(OAuth2CallbackView, request, provider_id)


def _answer(view: Any, request: HttpRequest, provider_id: str) -> HttpResponseBase:
    if provider_id != PROVIDER or single_sign_on.provider() is None:
        raise Http404("There is no such provider.")
    try:
        response: HttpResponseBase = view.adapter_view(VerifyingAdapter(request, provider_id))(request)
    except Unavailable as error:
        log.warning("OpenID sign-in impossible error=%s", error.message)
        return _not_signed_in(request, "The server cannot read the provider's secret. Sign in another way.", 503)
    except RequestException as error:
        log.warning("OpenID provider out of reach error=%s", error)
        return _not_signed_in(request, "The provider cannot be reached. Try again, or sign in another way.", 502)
    return response


class VerifyingAdapter(OpenIDConnectOAuth2Adapter):  # type: ignore[misc] # allauth is not typed
    """Takes nothing on trust: the id token is there, signed, of this issuer, of the same person as the user info."""

    def complete_login(self, request: HttpRequest, app: SocialApp, token: SocialToken, **kwargs: Any) -> SocialLogin:
        """Raises OAuth2Error for what does not fit together."""
        chosen = _chosen()
        if self.openid_config["issuer"].rstrip("/") != chosen.issuer:
            raise OAuth2Error("The provider calls itself by another name than its issuer in the settings.")
        if "id_token" not in kwargs["response"]:
            raise OAuth2Error("The provider sent no id token.")
        found = super().complete_login(request, app, token, **kwargs)
        claims = found.account.extra_data
        if claims["userinfo"].get("sub") != claims["id_token"]["sub"]:
            raise OAuth2Error("The user info is of somebody else than the id token.")
        found.vouched = _vouched(claims["id_token"] | claims["userinfo"])
        found.account.extra_data = {}  # nothing of it is kept
        found.account.uid = _uid(chosen, claims["id_token"]["sub"])
        return found

    def _decode_id_token(self, app: SocialApp, id_token: str) -> dict[str, Any]:
        """allauth trusts a token that came over TLS; we check its signature all the same."""
        try:
            algorithm = jwt.get_unverified_header(id_token).get("alg")
        except jwt.PyJWTError as error:
            raise OAuth2Error("The id token cannot be read.") from error
        if algorithm not in _ALGORITHMS:
            raise OAuth2Error(f"The id token is signed by {algorithm}.")
        decoded: dict[str, Any] = jwtkit.verify_and_decode(
            credential=id_token,
            keys_url=self.openid_config["jwks_uri"],
            issuer=self.openid_config["issuer"],
            audience=app.client_id,
            lookup_kid=jwtkit.lookup_kid_jwk,
        )
        return decoded


class SocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc] # as above
    """What allauth asks of us: which provider there is, and what becomes of whom it brings."""

    def list_apps(self, request: HttpRequest, provider: Any = None, client_id: Any = None) -> list[SocialApp]:
        """The one of the settings."""
        chosen = single_sign_on.provider()
        if chosen is None:
            return []
        app = SocialApp(
            provider="openid_connect",
            provider_id=PROVIDER,
            name=chosen.name,
            client_id=chosen.client_id,
            secret=chosen.secret(),
            settings={"server_url": chosen.issuer, "oauth_pkce_enabled": True},
        )
        return [app]

    def get_requests_session(self) -> Session:
        """What asks the provider. Whoever set it on a page must not reach by it what only the server can."""
        return session_for(_chosen())

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> NoReturn:
        """Sign in, or say why not; allauth's own pages and accounts are never reached."""
        try:
            user = _user_of(sociallogin)
        except Refused as error:
            raise ImmediateHttpResponse(_not_signed_in(request, error.message, 403)) from None
        enter(request, user, SignInWay.OIDC)
        raise ImmediateHttpResponse(redirect(safe_path(request, sociallogin.state.get("next") or "")))

    def on_authentication_error(self, request: HttpRequest, provider: Any, **why: Any) -> NoReturn:
        """Cancelled there, too old, or not what it should be."""
        log.warning("OpenID sign-in failed error=%s exception=%s", why.get("error"), why.get("exception"))
        raise ImmediateHttpResponse(_not_signed_in(request, "That did not work, or was cancelled. Try again.", 401))


@transaction.atomic
def _user_of(found: SocialLogin) -> User:
    """Known by the provider's subject; else by the address, this once. Raises Refused."""
    chosen = _chosen()
    check_allowed(found.vouched, chosen)
    known: User | None = found.user if found.is_existing else None
    user = known or person_of(found.vouched, chosen)
    if not user.is_active:
        raise Refused("This account is closed.")
    if known is None:
        SocialAccount.objects.filter(user=user).delete()  # whoever it was linked to had the address before
        SocialAccount.objects.create(user=user, provider=found.account.provider, uid=found.account.uid)
    return user


def _vouched(claims: dict[str, Any]) -> Vouched:
    is_verified = claims.get("email_verified") in {True, "true"}  # some providers write it as a word
    return Vouched(email=str(claims.get("email") or ""), is_verified=is_verified, name=str(claims.get("name") or ""))


def _chosen() -> Provider:
    """The provider, also should it be removed between two questions to it."""
    if chosen := single_sign_on.provider():
        return chosen
    raise Http404("There is no such provider.")


def _uid(chosen: Provider, subject: str) -> str:
    """A subject means something at its issuer only."""
    return sha256(f"{chosen.issuer} {subject}".encode()).hexdigest()


def _not_signed_in(request: HttpRequest, why: str, status: int) -> HttpResponse:
    return render_page(request, "accounts/not_signed_in.html", {"why": why}, status=status)
