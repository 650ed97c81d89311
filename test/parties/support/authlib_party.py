"""A relying party with Authlib, as people write it with requests. It does one thing for each line of JSON it reads."""

import json
import sys
import time

import requests
from authlib.common.security import generate_token
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.jose import JsonWebKey, JsonWebToken
from authlib.oauth2.rfc7523 import PrivateKeyJWT, private_key_jwt_sign
from authlib.oidc.core import CodeIDToken

settings = json.loads(sys.argv[1])
metadata = requests.get(settings["issuer"] + "/.well-known/openid-configuration").json()


class ShortAssertion(PrivateKeyJWT):
    """Authlib's own lasts an hour and is made for the token endpoint; SSO ASN wants a minute and its issuer."""

    def sign(self, auth, token_endpoint):
        return private_key_jwt_sign(
            auth.client_secret,
            client_id=auth.client_id,
            token_endpoint=metadata["issuer"],
            claims={"exp": int(time.time()) + 60},
            alg="ES256",
        )


session = OAuth2Session(
    settings["client_id"],
    settings["secret"],
    token_endpoint_auth_method=settings["method"],
    # Without it: client_secret_basic at introspection and revocation.
    revocation_endpoint_auth_method=settings["method"],
    scope="openid profile email asn",
    redirect_uri=settings["redirect_uri"],
    code_challenge_method="S256",
)
session.register_client_auth_method(ShortAssertion())
signed = JsonWebToken(["ES256", "RS256"])
begun = {}


def keys():
    return JsonWebKey.import_key_set(requests.get(metadata["jwks_uri"]).json())


def begin(_):
    begun["nonce"] = generate_token()
    begun["verifier"] = generate_token(48)
    url, begun["state"] = session.create_authorization_url(
        metadata["authorization_endpoint"], nonce=begun["nonce"], code_verifier=begun["verifier"]
    )
    return url


def complete(callback):
    token = session.fetch_token(
        metadata["token_endpoint"],
        authorization_response=callback,
        state=begun["state"],
        code_verifier=begun["verifier"],
    )
    claims = signed.decode(
        token["id_token"],
        keys(),
        claims_cls=CodeIDToken,
        claims_options={
            "iss": {"essential": True, "value": metadata["issuer"]},
            "aud": {"essential": True, "value": settings["client_id"]},
        },
        claims_params={"nonce": begun["nonce"], "client_id": settings["client_id"]},
    )
    claims.validate(leeway=5)
    return dict(claims)


def userinfo(_):
    return session.get(metadata["userinfo_endpoint"]).json()


def refresh(_):
    before = session.token["access_token"]
    session.refresh_token(metadata["token_endpoint"], refresh_token=session.token["refresh_token"])
    return session.token["access_token"] != before


def introspect(_):
    return session.introspect_token(
        metadata["introspection_endpoint"], token=session.token["access_token"], token_type_hint="access_token"
    ).json()


def logout(return_to):
    request = requests.Request(
        "GET",
        metadata["end_session_endpoint"],
        params={"id_token_hint": session.token["id_token"], "post_logout_redirect_uri": return_to, "state": "bye"},
    )
    return request.prepare().url


def told(logout_token):
    claims = signed.decode(
        logout_token,
        keys(),
        claims_options={
            "iss": {"essential": True, "value": metadata["issuer"]},
            "aud": {"essential": True, "value": settings["client_id"]},
            "iat": {"essential": True},
            "jti": {"essential": True},
        },
    )
    claims.validate(leeway=5)
    if claims.header["typ"] != "logout+jwt" or "nonce" in claims:
        raise ValueError("not a logout token")
    if "http://schemas.openid.net/event/backchannel-logout" not in claims["events"]:
        raise ValueError("another event")
    return claims["sid"]


ACTS = {act.__name__: act for act in (begin, complete, userinfo, refresh, introspect, logout, told)}

for line in sys.stdin:
    asked = json.loads(line)
    try:
        answer = {"answer": ACTS[asked["act"]](asked.get("with"))}
    except OAuthError as error:
        answer = {"error": error.error}
    except Exception as error:  # pylint: disable=broad-except
        answer = {"error": repr(error)}
    print(json.dumps(answer), flush=True)
