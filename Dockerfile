# lucid-audit as an image: distroless, 65532, no shell, for linux/amd64 and linux/arm64. It passes itself, by the recommended
# rules and by the house's (--profile lucid), and its start is proven to the end: lucid-audit lint --why Dockerfile
#
#   docker buildx build --platform linux/amd64,linux/arm64 -t lucid-audit .
#   docker run --rm -v "$PWD:/work:ro" lucid-audit lint
#
# All that runs while it is built runs on the builder's own platform: pip fetches the wheels of the platform that is built
# for, and nothing of that platform is started. So no emulator is needed.
ARG PYTHON=3.13
ARG SUITE=trixie
ARG DEBIAN=13

FROM --platform=${BUILDPLATFORM} python:${PYTHON}-slim-${SUITE} AS packages
ARG TARGETARCH
WORKDIR /build
COPY pyproject.toml ./
RUN python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" > requirements.txt
RUN case "${TARGETARCH}" in amd64) machine=x86_64 ;; arm64) machine=aarch64 ;; *) echo "no wheels for '${TARGETARCH}'" >&2; exit 1 ;; esac \
    && python -m pip install --no-cache-dir --no-compile --target /app --only-binary=:all: --implementation cp \
       --platform "manylinux2014_${machine}" --platform "manylinux_2_17_${machine}" --platform "manylinux_2_28_${machine}" \
       -r requirements.txt

FROM --platform=${BUILDPLATFORM} python:${PYTHON}-slim-${SUITE} AS compiled
WORKDIR /build
RUN python -m pip install --no-cache-dir --no-compile --target /tools "PyYAML>=6,<7"
COPY lucid_audit lucid_audit
COPY rules rules
RUN PYTHONPATH=/tools python -c "from lucid_audit.precompile import write; write('/compiled')"

# lucid: ignore-stage[health-check-missing, expose-missing] a command that ends by itself: nobody asks it anything, its exit code is its health
# lucid: ignore-stage[entrypoint-unexpected, workdir-unexpected] a command takes its words from the person and its files from where they are mounted
FROM gcr.io/distroless/python3-debian${DEBIAN}:nonroot
ARG TARGETARCH
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="lucid-audit" \
      org.opencontainers.image.description="Says before docker run whether a container is distroless and starts" \
      org.opencontainers.image.source="https://github.com/HamiGames/lucid-audit" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      com.lucid.service="lucid-audit" \
      com.lucid.platform="${TARGETARCH}" \
      com.lucid.cluster="tools" \
      com.lucid.security="distroless"
ENV PYTHONPATH=/app \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    LC_ALL=C.UTF-8
COPY --from=packages --chown=65532:65532 /app /app
COPY --chown=65532:65532 rules /app/rules
COPY --chown=65532:65532 lucid_audit /app/lucid_audit
COPY --from=compiled --chown=65532:65532 /compiled /app/lucid_audit
WORKDIR /work
USER 65532:65532
ENTRYPOINT ["/usr/bin/python3", "-m", "lucid_audit"]
