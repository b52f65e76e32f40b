"""A small OpenID provider over real HTTP: discovery, keys, tokens for a code, user info. It signs with its own key."""

import base64
import hashlib
import json
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa


class Provider:
    """`person` is who signs in there next; `twist` changes the claims of the id token, `lie` those of the user info;
    `raw` answers some paths with headers and bytes as they are."""

    def __init__(self):
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.signs_with, self.algorithm = self.key, "RS256"
        self.person = {"sub": "17", "email": "dora@example.org", "email_verified": True, "name": "Dora"}
        self.twist, self.lie, self.codes, self.raw = {}, {}, {}, {}
        self.issuer = ""

    def sign_in(self, address):
        """What the provider's own page does: from the address one was sent to, to the one to go back to."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        code = f"code{len(self.codes)}"
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def token(self, form):
        asked = self.codes.pop(form["code"])  # once
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=")
        assert challenge.decode() == asked["code_challenge"]
        assert (form["client_id"], form["client_secret"]) == ("observatory", "shared secret")
        claims = {"iss": self.issuer, "aud": "observatory", "iat": int(time.time()), "exp": int(time.time()) + 60}
        signed = jwt.encode(
            claims | self.person | self.twist, self.signs_with, algorithm=self.algorithm, headers={"kid": "k1"}
        )
        return {"access_token": "of " + self.person["sub"], "token_type": "Bearer", "id_token": signed}

    def answer(self, path):
        match path:
            case "/.well-known/openid-configuration":
                names = {"authorization": "authorize", "token": "token", "userinfo": "userinfo"}
                return {
                    "issuer": self.issuer,
                    "jwks_uri": f"{self.issuer}/keys",
                    "token_endpoint_auth_methods_supported": ["client_secret_post"],
                    **{f"{name}_endpoint": f"{self.issuer}/{part}" for name, part in names.items()},
                }
            case "/keys":
                public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
                return {"keys": [public | {"kid": "k1", "alg": "RS256", "use": "sig"}]}
            case "/userinfo":
                return self.person | self.lie


@contextmanager
def running_provider():
    provider = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            if self.path in provider.raw:
                self.write(*provider.raw[self.path])
            else:
                self.write({}, json.dumps(provider.answer(self.path)).encode())

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            told = provider.token({name: values[0] for name, values in parse_qs(body).items()})
            self.write({}, json.dumps(told).encode())

        def write(self, headers, body):
            self.send_response(200)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
