"""The signatures of webhooks, as the senders make them (written from their
documentation, apart from the code under test). Each returns request headers."""
import base64
import hashlib
import hmac
import time


def _hmac(secret, message):
    return hmac.new(secret.encode(), message, hashlib.sha256)


def stripe(secret, body, timestamp=None):
    timestamp = str(int(time.time()) if timestamp is None else timestamp)
    digest = _hmac(secret, timestamp.encode() + b"." + body).hexdigest()
    return {"Stripe-Signature": f"t={timestamp},v1={digest}"}


def hubspot(secret, body, uri, timestamp=None, method="POST"):
    timestamp = str(int(time.time() * 1000) if timestamp is None else timestamp)
    digest = _hmac(secret, method.encode() + uri.encode() + body + timestamp.encode()).digest()
    return {"X-HubSpot-Signature-v3": base64.b64encode(digest).decode(),
            "X-HubSpot-Request-Timestamp": timestamp}


def zendesk(secret, body, timestamp=None):
    timestamp = (time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
                 if timestamp is None else timestamp)
    digest = _hmac(secret, timestamp.encode() + body).digest()
    return {"X-Zendesk-Webhook-Signature": base64.b64encode(digest).decode(),
            "X-Zendesk-Webhook-Signature-Timestamp": timestamp}


def github_style(secret, body, header="X-Signature", prefix="sha256="):
    return {header: prefix + _hmac(secret, body).hexdigest()}


def shopify(secret, body):
    return {"X-Shopify-Hmac-Sha256": base64.b64encode(_hmac(secret, body).digest()).decode()}


def basic(user, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}
