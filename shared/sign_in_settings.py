"""The settings of who signs in to the page by an OpenID provider, and of the address that they know it by."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from nightshift.words.error_codes import Code
from nightshift.words.errors import InvalidInput
from shared.grants import grants_in
from shared.urls import is_protected, public_url


class SignInSettings(BaseSettings):
    """A part of `shared.settings.Settings`, which alone is read from the environment."""

    model_config = SettingsConfigDict(frozen=True, use_attribute_docstrings=True)

    public_url: str = ""
    """The address by which browsers reach the service, such as `https://photos.example.org`; messages link to
    the job there. Empty: none but its own host and port, and no link."""
    oidc_name: str = ""
    """What the page calls the provider, as in "Sign in with ..."; empty: its host."""
    oidc_client_id: str = ""
    """The name that the provider has given to this service."""
    oidc_client_secret: SecretStr = SecretStr("")
    """The password that goes with it; empty for a client that has none."""
    oidc_client_secret_file: str = ""
    """A file that holds it, instead."""
    oidc_scopes: str = "openid profile email"
    """What is asked of the provider. Some tell of groups only when asked for `groups` as well."""
    oidc_claim: str = "groups"
    """The claim that says who may sign in, such as `groups`, `email`, `hd`, or `realm_access.roles`."""
    oidc_owner_claim: str = ""
    """The claim whose value, in small letters, is the owner where `NIGHTSHIFT_OIDC_GRANTS` names none. It
    must be one that users cannot change themselves."""
    oidc_grants: str = ""
    """What each value of the claim gives, as JSON: `{"desk": {"owner": "news", "scopes": ["submit"]}}`.
    Who has none of them is not let in."""
    oidc_session_s: float = Field(8 * 3600, ge=0, le=24 * 3600)
    """Seconds that such a sign-in lasts; 0: as long as the provider's token does."""
    oidc_issuer: str = ""
    """Address of the OpenID provider by which people sign in to the page, exactly as it calls itself. Empty:
    they sign in by key alone."""

    @field_validator("public_url")
    @classmethod
    def _check_public_url(cls, url: str) -> str:
        return public_url(url) if url else url

    @field_validator("oidc_client_secret")
    @classmethod
    def _check_secret(cls, secret: SecretStr) -> SecretStr:
        if not secret.get_secret_value().isascii():
            raise ValueError("must be of ASCII characters")
        return secret

    @field_validator("oidc_client_secret_file")
    @classmethod
    def _check_secret_file(cls, path: str, info: ValidationInfo) -> str:
        if path and not Path(path).is_absolute():
            raise ValueError("must be an absolute path")
        if path and (secret := info.data.get("oidc_client_secret")) and secret.get_secret_value():
            raise ValueError("is set, and NIGHTSHIFT_OIDC_CLIENT_SECRET as well: leave one of them out")
        return path

    @field_validator("oidc_scopes")
    @classmethod
    def _check_oidc_scopes(cls, scopes: str) -> str:
        if "openid" not in scopes.split():
            raise ValueError("must have openid among them")
        return scopes

    @field_validator("oidc_grants")
    @classmethod
    def _check_grants(cls, text: str, info: ValidationInfo) -> str:
        grants = grants_in(text)
        nobodys = [name for name, grant in grants.items() if not grant.owner]
        if nobodys and not info.data.get("oidc_owner_claim"):
            raise ValueError(f"{nobodys[0]}: name an owner, or set NIGHTSHIFT_OIDC_OWNER_CLAIM")
        return text

    @field_validator("oidc_issuer")
    @classmethod
    def _check_issuer(cls, issuer: str, info: ValidationInfo) -> str:
        if not issuer:
            return issuer
        if not is_protected(issuer) or any(sign in issuer for sign in "?# "):
            raise ValueError("must be an address with https; http on loopback alone")
        # Of those that are wrong themselves it is said already.
        missing = [
            f"NIGHTSHIFT_{name.upper()}"
            for name in ("public_url", "oidc_client_id", "oidc_claim", "oidc_grants")
            if info.data.get(name) == ""
        ]
        if missing:
            raise ValueError(f"needs {', '.join(missing)} as well")
        return issuer

    @property
    def provider_name(self) -> str | None:
        """What to call the provider; None where there is none."""
        return (self.oidc_name or urlsplit(self.oidc_issuer).hostname) if self.oidc_issuer else None

    def oidc_secret(self) -> str:
        """The client's secret, from the setting or the file; empty for none.

        Raises:
            InvalidInput: `bad_setting`, the file cannot be read, or the extra `oidc` is not installed.
        """
        for name in ("authlib", "joserfc"):
            if find_spec(name) is None:
                message = f"NIGHTSHIFT_OIDC_ISSUER: needs the extra oidc: {name} is not installed"
                raise InvalidInput(Code.BAD_SETTING, message)
        if not self.oidc_client_secret_file:
            return self.oidc_client_secret.get_secret_value()
        try:
            return Path(self.oidc_client_secret_file).read_text("ascii").strip()
        except (OSError, UnicodeError) as error:
            message = f"NIGHTSHIFT_OIDC_CLIENT_SECRET_FILE: cannot be read: {error}"
            raise InvalidInput(Code.BAD_SETTING, message) from error
