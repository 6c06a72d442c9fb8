"""Which values count as secrets, and that no message repeats one."""

from __future__ import annotations

import pytest

from lucid_audit.checks.secret import SecretVariable, is_value, masked, secret_literal, secret_variable
from lucid_audit.finding import Hit
from tests.sketch import sketch

LITERAL = "s3cr3t-Value-0123456789"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DB_PASSWORD", "postgres"),
        ("DB_PASSWORD", "123456"),
        ("password", "x"),
        ("API_KEY", "0af3"),
        ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG"),
        ("APP_KEY", "base64:Zm9vYmFyYmF6cXV4"),
        ("GITHUB_TOKEN", "abcdef"),
        ("jwt.secret", "signing"),
        ("BASIC_AUTH", "YWRtaW46YWRtaW4xMjM="),
    ],
)
def test_is_a_secret(name: str, value: str) -> None:
    assert is_value(name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DB_PASSWORD", ""),
        ("DB_PASSWORD_FILE", "/run/secrets/db"),
        ("DB_PASSWORD", "/run/secrets/db"),
        ("ALLOW_EMPTY_PASSWORD", "yes"),
        ("PASSWORD_MIN_LENGTH", "12"),
        ("SECRET_PROVIDER", "vault"),
        ("TOKEN_TTL", "3600"),
        ("ACCESS_TOKEN_LIFETIME", "15m"),
        ("TOKENIZERS_PARALLELISM", "false"),
        ("AUTH", "https://login.example.org"),
        ("AUTH_MODE", "oidc"),
        ("AUTHOR", "somebody"),
        ("KEYCLOAK_REALM", "main"),
        ("GPG_KEY", "A035C8C19219BA821ECEA86B64E628F8D684696D"),
        ("SSH_PUBLIC_KEY", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB"),
        ("CACHE_KEY", "users-by-name"),
        ("PRIMARY_KEY", "id"),
        ("MONKEY", "banana-0123456789"),
        ("USDT_TOKEN_CONTRACT", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"),
        ("API_TOKEN", "<from the vault>"),
    ],
)
def test_is_no_secret(name: str, value: str) -> None:
    assert not is_value(name, value)


def test_messages_never_repeat_the_value() -> None:
    build = sketch(
        "FROM python:3.13-slim AS builder\n"
        f"ARG NPM_TOKEN={LITERAL}\n"
        f"ENV DB_PASSWORD={LITERAL}\n"
        "FROM gcr.io/distroless/static-debian13:nonroot\n"
        f"ENV DB_PASSWORD={LITERAL} SITE=https://user:{LITERAL}@example.org\n"
        "COPY --from=builder /app /app\n"
    )
    answers = [
        *secret_variable(build, SecretVariable("image")),
        *secret_variable(build, SecretVariable("build")),
        *secret_literal(build),
    ]
    assert len(answers) == 4
    for answer in answers:
        assert isinstance(answer, Hit)
        assert LITERAL not in str(answer.values)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ENV DB_PASSWORD=hunter22 MODE=fast", "ENV DB_PASSWORD=*** MODE=fast"),
        ("RUN |1 API_TOKEN='abc def 12345' /bin/sh -c make", "RUN |1 API_TOKEN=*** /bin/sh -c make"),
        ("RUN git clone https://me:s3cr3tpw@example.org/x", "RUN git clone https://me:***@example.org/x"),
        ("ENV KEY_FILE=/run/secrets/key", "ENV KEY_FILE=/run/secrets/key"),
        ("COPY app /app # buildkit", "COPY app /app # buildkit"),
    ],
)
def test_secrets_are_not_quoted(text: str, shown: str) -> None:
    assert masked(text) == shown
