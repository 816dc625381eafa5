"""What the sources of a configuration folder want from the environment."""
import json
import os
import re

from support import sign


class Sources:
    """`environment`: the variables that the source files name; `secrets`, `users`
    and `uris`: their values by source. `make_secret(source)` invents a secret;
    `given(variable)` may know a value already."""

    def __init__(self, config, make_secret, given=lambda variable: None):
        self.given = given
        self.environment, self.secrets, self.users, self.uris = {}, {}, {}, {}
        folder = os.path.join(config, "sources")
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                self._learn(name[:-len(".json")], json.load(file)["signature"], make_secret)

    def _learn(self, source, signature, make_secret):
        for member, text in signature.items():
            variable = re.fullmatch(r"\$\{(\w+)\}", str(text))
            if not variable:
                continue
            values = {"uri": f"https://throughline.example/webhooks/{source}", "user": source}
            known = {"uri": self.uris, "user": self.users}.get(member, self.secrets)
            known[source] = self.given(variable.group(1)) or values.get(member) or make_secret(source)
            self.environment[variable.group(1)] = known[source]
        if "uri" in signature:
            self.uris.setdefault(source, signature["uri"])

    def signed(self, source, body):
        """The headers by which the system `source` proves that `body` is its own."""
        system = source.split("-")[0]  # hubspot-tickets is HubSpot's too
        if system == "hubspot":
            return sign.hubspot(self.secrets[source], body, self.uris[source])
        if system == "pipedrive":
            return sign.basic(self.users[source], self.secrets[source])
        if system == "salesforce":  # signs nothing
            return {}
        scheme = {"stripe": sign.stripe, "zendesk": sign.zendesk, "shopify": sign.shopify}[system]
        return scheme(self.secrets[source], body)
