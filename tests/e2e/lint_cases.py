"""Dockerfiles, written to be judged by two linters: for each subject, what is right and what is wrong, in several spellings."""

from __future__ import annotations

HEAD = "FROM debian:13-slim\n"
TAIL = "USER 65532:65532\n"

APT = (
    "apt-get update && apt-get install -y --no-install-recommends curl=8.1 && rm -rf /var/lib/apt/lists/*",
    "apt-get update && apt-get install -y curl",
    "apt-get update && apt-get -y install --no-install-recommends curl git=1:2.4",
    "apt-get update && apt-get install curl=1 && rm -rf /tmp/x",
    "apt-get update && apt-get install -qq curl=1 && rm -r /var/lib/apt/lists",
    "apt-get update && apt-get install -yq ./local.deb && apt-get clean",
    "apt-get install --yes --no-install-recommends curl/stable",
    "apt-get install -y -t trixie-backports --no-install-recommends curl",
    "apt-get -y --no-install-recommends install curl=1 wget=2 && rm -rf /var/lib/apt/lists/*",
    "apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -o APT::Install-Recommends=false curl=1",
    "apt update && apt install -y curl",
    "apt-get upgrade -y",
    "apt-get dist-upgrade -y",
    "aptitude update",
    'echo "apt-get install curl"',
    "if true; then apt-get install -y curl; fi",
    "apt-get remove -y curl",
    "apt-get update; apt-get install -y --no-install-recommends curl=1; rm -rf /var/lib/apt/lists/*",
    "apt-get update && rm -rf /var/lib/apt/lists/* && apt-get install -y --no-install-recommends curl=1",
)
APK = (
    "apk add --no-cache curl=8.1-r0",
    "apk add curl",
    "apk --no-cache add curl~=8",
    "apk add --no-cache --virtual .build gcc=1 musl-dev",
    "apk add --no-cache -X https://example.org/edge curl",
    "apk add --no-cache -t .deps gcc=1",
    "apk add --no-cache 'curl>8'",
    "apk add --no-cache ./local.apk",
    "apk update && apk add curl=1",
    "apk del curl",
    "apk upgrade --no-cache",
)
RPM = (
    "yum install -y httpd-2.4.6 && yum clean all",
    "yum install httpd",
    "yum -y install httpd",
    "yum install -y httpd-2.4.6 && rm -rf /var/cache/yum/*",
    "yum update -y",
    "yum makecache",
    "yum install -y ./local.rpm && yum clean all",
    "dnf install -y httpd-2.4.6 && dnf clean all",
    "dnf install httpd-2.4.6",
    "dnf install -y httpd",
    "microdnf install -y httpd-2.4.6 && microdnf clean all",
    "microdnf install -y httpd",
    "dnf groupinstall -y tools",
    "zypper install -y httpd=2.4.46 && zypper clean",
    "zypper install httpd=2.4",
    "zypper -n install httpd",
    "zypper dist-upgrade",
    "zypper dup -y",
    "zypper --non-interactive in 'httpd>=2.4' && zypper cc",
)
LANGUAGES = (
    "pip install requests==2.32.3",
    "pip install --no-cache-dir requests==2.32.3",
    "pip install --no-cache-dir requests",
    "pip3 install --no-cache-dir -r requirements.txt",
    "python3 -m pip install --no-cache-dir flask",
    "pip install --no-cache-dir .",
    "pip install --no-cache-dir 'flask>=2'",
    "pip install --no-cache-dir git+https://example.org/x.git@v1",
    "pip install --no-cache-dir git+https://example.org/x.git",
    "pip install --no-cache-dir https://example.org/x-1.whl",
    "PIP_NO_CACHE_DIR=1 pip install flask==3",
    "pip install --no-cache-dir --index-url https://example.org/simple flask==3",
    "pip install --no-cache-dir --upgrade pip",
    "pip list",
    "npm install express@4.1.1",
    "npm install express",
    "npm install",
    "npm ci",
    "npm install -g typescript",
    "npm install @angular/cli",
    "npm install @angular/cli@17",
    "npm install ./local",
    "npm install --global git+https://example.org/x.git#v1",
    "npm install git+https://example.org/x.git",
    "npm run build",
    "yarn install",
    "yarn install && yarn cache clean",
    "yarn cache clean && yarn install",
    "yarn add express@4",
    "gem install bundler",
    "gem install bundler:2.0.1",
    "gem install bundler --version 2.0.1",
    "gem install bundler -v 2.0.1",
    "gem install --no-document rake",
    "go install example.org/x/cmd@v1.2.3",
    "go install example.org/x/cmd",
    "go install example.org/x/cmd@latest",
    "go install ./cmd",
    "go get example.org/x@v1",
    "go run example.org/x",
    "go build ./...",
)
PROGRAMS = (
    "cd /srv && ls",
    "mkdir x && cd x && ls",
    "sudo apt-get clean",
    "ssh host true",
    "service nginx start",
    "top",
    "mount /dev/x /y",
    "echo ssh",
    "useradd -u 123456 me",
    "useradd -l -u 123456 me",
    "useradd --no-log-init -u 123456 me",
    "useradd -u 12345 me",
    "useradd -u 1000000 -m me",
    "wget https://example.org/x",
    "wget -q https://example.org/x",
    "wget --progress=dot:giga https://example.org/x",
    "wget -nv https://example.org/x",
    "wget -O- -o /tmp/log https://example.org/x",
    "curl -o x https://example.org/x && wget -q https://example.org/y",
    "ln -sf /bin/bash /bin/sh",
    "ln -s /usr/bin/python3 /usr/bin/python",
    "curl -f https://example.org/x | tar x",
    "set -o pipefail; ls | wc -l",
    "true || false",
    "ls | grep x | wc -l",
)
CODE = (
    "echo $foo", "rm -rf $1", "cd $dir", "if [ $a = b ]; then echo c; fi", "for f in $(ls); do echo $f; done", "echo `date`", "read x",
    "export A=$(date)", "test -z $x && exit 1", "local x=1", "[[ a == b ]] && ls", "source /x", "echo -e 'a\\n'", "a=(1 2)", "find . | xargs rm",
    "cat x | grep y", "ls *.txt | wc -l", "echo '$HOME'", "[ 1 -eq 1 -a 2 -eq 2 ]", "grep -r x > x 2>&1 < y", "which python", "tr a-z A-Z", "kill -9 $$",
    'for i in "$(ls)"; do echo "$i"; done', "exit 256", "let x=1", "echo $((1 + $x))", "sudo echo x > /etc/y", "ls -l | awk '{print $1}' | sort", "true",
)  # fmt: skip
INSTRUCTIONS = (
    "WORKDIR app", "WORKDIR /app", "WORKDIR $HOME", "WORKDIR ./x/y", 'WORKDIR "/app"', "WORKDIR C:/app",
    "MAINTAINER me@example.org", "EXPOSE 80", "EXPOSE 70000", "EXPOSE 8000-8010/tcp", "EXPOSE 80 99999", "EXPOSE $PORT",
    "ADD app.py /app/", "ADD app.tar.gz /app/", "ADD https://example.org/x /app/", "ADD a b /app/", "ADD x.zip /app/", "ARG U=https://example.org\nADD $U/x /app/",
    "COPY a b /app", "COPY a b /app/", "COPY a /app", "COPY a app/", "COPY a .", 'COPY ["a", "b", "/app/"]', "COPY --chown=1 a b /app",
    "COPY --from=other /a /b", "COPY --from=0 /a /b", "COPY --from=debian:13 /a /b", "COPY --from=example.org/x:1 / /",
    "WORKDIR /app\nCOPY a .", "COPY x.tar.gz /tmp/\nRUN tar -xzf /tmp/x.tar.gz", "COPY x.tar.gz /tmp/\nRUN tar -tzf /tmp/x.tar.gz",
    "COPY x.tar.gz /tmp/\nRUN tar -xzf /tmp/y.tar.gz", "COPY a.txt /tmp/\nRUN tar --extract -f /tmp/a.txt",
    "ENV A=1 B=$A", "ENV A=1\nENV B=$A", "ENV A=1 B=${A}x", "ENV A=$A", "ARG A\nENV A=1 B=$A", "ENV A=1 B=2",
    "ENV DB_PASSWORD=x", "ARG API_TOKEN", "ENV SECRET_KEY=abc", "ARG VERSION=1", "ENV AWS_SECRET_ACCESS_KEY=x", "ARG PUBLIC_TOKEN=1",
    "ENV PASSWORD_FILE=/run/x", "ENV NPM_TOKEN=x",
    "CMD echo x", 'CMD ["echo", "x"]', "ENTRYPOINT /run.sh", 'ENTRYPOINT ["/run.sh"]', "CMD [\"a\"]\nCMD [\"b\"]", "ENTRYPOINT [\"a\"]\nENTRYPOINT [\"b\"]",
    'HEALTHCHECK CMD ["a"]\nHEALTHCHECK CMD ["b"]', "HEALTHCHECK NONE", "CMD exec nginx", 'SHELL ["/bin/bash", "-c"]\nCMD nginx',
    "USER root", "USER app", "USER 0", "USER 1000", "USER 1000:1000", "USER app:app", "ARG UID\nUSER $UID", "ARG UID=1\nUSER ${UID}",
    "LABEL a=b", "LABEL A=b", "LABEL com.docker.x=1", "LABEL a..b=c", "LABEL org.opencontainers.image.title=x", "LABEL a_b=c", "LABEL 1a=b", "LABEL a-=b",
    "ONBUILD COPY . /app/", "ONBUILD RUN ls", "RUN ls\nRUN pwd", "RUN ls && pwd\nRUN ls", "RUN --mount=type=cache,target=/x ls\nRUN pwd",
    'SHELL ["/bin/bash", "-o", "pipefail", "-c"]\nRUN ls | wc', 'SHELL ["/bin/bash", "-c"]\nRUN ls | wc', "RUN [\"a\", \"|\", \"b\"]",
    "RUN --mount=type=cache,target=/var/lib/apt --mount=type=cache,target=/var/cache/apt apt-get update && apt-get install -y --no-install-recommends a=1",
    "RUN --mount=type=cache,target=/var/lib/apt/lists apt-get update", "RUN --mount=type=cache,target=/root/.cache/pip pip install flask==3",
    "RUN --mount=type=cache,target=/var/cache/apk apk add curl=1", "RUN --mount=type=tmpfs,target=/var/cache/zypp zypper install -y x=1",
    "ENV PIP_NO_CACHE_DIR=1\nRUN pip install flask==3", "ENV PIP_NO_CACHE_DIR=off\nRUN pip install flask==3",
)  # fmt: skip
FILES = (
    "FROM debian\nUSER 1\n", "FROM debian:latest\nUSER 1\n", "FROM debian@sha256:" + "a" * 64 + "\nUSER 1\n", "FROM scratch\nUSER 1\n",
    "FROM example.org:5000/x\nUSER 1\n", "FROM example.org:5000/x:latest\nUSER 1\n", "FROM debian:13 AS a\nFROM a\nUSER 1\n",
    "FROM debian:13 AS a\nRUN x\nFROM debian:13 AS a\nCOPY --from=a /x /y\nUSER 1\n", "FROM debian:13 AS scratch\nUSER 1\n",
    "FROM debian:13 AS context\nUSER 1\n", "FROM --platform=linux/amd64 debian:13\nUSER 1\n", "FROM --platform=$BUILDPLATFORM debian:13\nUSER 1\n",
    "FROM --platform=$TARGETPLATFORM debian:13\nUSER 1\n", "FROM --platform=${TARGETPLATFORM} debian:13\nUSER 1\n",
    "ARG T=13\nFROM debian:$T\nUSER 1\n", "FROM debian:13 AS a\nRUN x\nFROM debian:13\nCOPY --from=a /x /y\nUSER 1\n",
    "FROM debian:13 AS a\nRUN x\nFROM debian:13\nCOPY --from=A /x /y\nUSER 1\n", "FROM debian:13 AS a\nCOPY / /\nFROM debian:13\nCOPY --from=a / /\nUSER 1\n",
    "FROM debian:13 AS a\nUSER root\nRUN x\nFROM debian:13\nCOPY --from=a /x /y\nUSER 1\n", "FROM debian:13 AS a\nRUN curl x\nFROM debian:13\nCOPY --from=a /x /y\nRUN wget -q y\nUSER 1\n",
    "FROM debian:13 AS a\nRUN ls\nRUN pwd\nFROM debian:13\nCOPY --from=a /x /y\nUSER 1\n", "FROM debian:13 AS a\nRUN ls\nRUN pwd\nFROM a\nUSER 1\n",
    "FROM debian:13 AS a\nRUN apt-get update\nFROM debian:13\nCOPY --from=a /x /y\nUSER 1\n", "FROM debian:13 AS a\nWORKDIR /x\nFROM a\nCOPY x .\nUSER 1\n",
    'FROM debian:13 AS a\nSHELL ["/bin/bash", "-o", "pipefail", "-c"]\nFROM a\nRUN ls | wc\nUSER 1\n', "FROM debian:13 AS a\nENV PIP_NO_CACHE_DIR=1\nFROM a\nRUN pip install x==1\nUSER 1\n",
    "FROM debian:13 AS a\nCOPY --from=a /x /y\nUSER 1\n",
)  # fmt: skip


def cases() -> list[str]:
    """Return every file, each with one subject."""
    runs = (*APT, *APK, *RPM, *LANGUAGES, *PROGRAMS)
    found = [f"{HEAD}RUN {line}\n{TAIL}" for line in runs]
    found += [f"{HEAD}RUN set -eux; \\\n # a comment\n    {line}\n{TAIL}" for line in runs]
    found += [f"FROM example.org/team/base:1\nRUN <<EOF\n{line}\nEOF\n\n{TAIL}" for line in runs]
    found += [f"{HEAD}ARG x\nENV dir=/srv\nRUN {line}\n{TAIL}" for line in CODE]
    found += [f"{HEAD}RUN set -e; \\\n # echo $no\n   {line} && \\\n   echo ok\n{TAIL}" for line in CODE]
    found += [f'{HEAD}SHELL ["/bin/bash", "-c"]\nRUN {line}\n{TAIL}' for line in CODE]
    found += [f"FROM alpine:3.23\nRUN <<EOF\nset -e\n{line}\nEOF\n\n{TAIL}" for line in CODE]
    found += [f"{HEAD}{line}\n{'' if 'USER' in line else TAIL}" for line in INSTRUCTIONS]
    return [*found, *FILES]
