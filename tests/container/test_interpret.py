from __future__ import annotations

import pytest

from lucid_audit.container.interpret import Task, task

CONFIG = ("gunicorn.conf.py",)  # what gunicorn looks for itself


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("python3 main.py --port 1", Task("script", "main.py")),
        ("/usr/bin/python3.11 -u -B main.py", Task("script", "main.py")),
        ("python3 -Wignore -X dev main.py", Task("script", "main.py")),
        ("python3 -m app.main --x", Task("module", "app.main")),
        ("python3 -mapp", Task("module", "app")),
        ("python3 -um app", Task("module", "app")),
        ("python3 -c print() main.py", None),
        ("python3 --version", None),
        ("python3 -", None),
        ("python3", None),
        ("python3 -m", None),
        ("python3 -m uvicorn app.main:api --host 0.0.0.0", Task("app", "app.main", server="uvicorn")),
        ("python3 -m uvicorn --help", Task("module", "uvicorn")),
        ("uvicorn --factory app.main:create --port 80", Task("app", "app.main")),
        ("uvicorn --app-dir src main:app", Task("app", "main", "src")),
        ("gunicorn --chdir=/srv -b localhost:8000 wsgi:application", Task("app", "wsgi", "/srv", configs=CONFIG)),
        ("gunicorn -b unix:/run/x.sock -k gevent wsgi:make()", Task("app", "wsgi", configs=CONFIG)),
        ("gunicorn --pythonpath /x wsgi:app", None),
        ("gunicorn -w 4 wsgi", Task("app", "wsgi", configs=CONFIG)),
        ("gunicorn --reload shop.wsgi", Task("app", "shop.wsgi", configs=CONFIG)),
        ("gunicorn -w 4 --name shop", None),
        ("gunicorn -c conf/g.py wsgi:app", Task("app", "wsgi", configs=("conf/g.py",))),
        ("gunicorn --config=file:g.py wsgi:app", Task("app", "wsgi", configs=("g.py",))),
        ("gunicorn --config python:shop.conf wsgi:app", Task("app", "wsgi", also=("shop.conf",))),
        ("hypercorn asgi:shop.main:app", Task("app", "shop.main")),
        ("hypercorn wsgi:shop:app -b 0.0.0.0:80", Task("app", "shop")),
        ("hypercorn src/main.py:app", Task("app", "main", "src")),
        ("hypercorn main.py:app", Task("app", "main")),
        ("hypercorn -c file:x.toml main:app", Task("app", "main")),
        ("waitress-serve --port=80 --call shop:create", Task("app", "shop")),
        ("python3 -m waitress shop.wsgi:app", Task("app", "shop.wsgi", server="waitress")),
        ("daphne -b 0.0.0.0 -p 80 shop.asgi:application", Task("app", "shop.asgi")),
        ("granian --interface asgi shop.main:app", Task("app", "shop.main", climbs=True)),
        ("granian --working-dir src main:app", None),
        ("celery -A shop worker -l info", Task("app", "shop")),
        ("celery --app=shop.tasks:app beat", Task("app", "shop.tasks")),
        ("celery -Ashop.worker worker", Task("app", "shop", also=("shop:worker",))),
        ("celery --workdir /srv -A shop worker", Task("app", "shop", "/srv")),
        ("celery worker", None),
        ("flask --app src/shop.py run --port 80", Task("app", "shop", "src", climbs=True)),
        ("flask --app=shop:create('x') run", Task("app", "shop", climbs=True)),
        ("python3 -m flask -A shop run", Task("app", "shop", server="flask", climbs=True)),
        ("flask --app shop routes", None),
        ("flask run", None),
        ("node server.js", Task("node", "server.js")),
        ("/nodejs/bin/node --require ./trace.js --max-old-space-size=64 dist/server", Task("node", "dist/server")),
        ("node -e 1", None),
        ("java -Xmx64m -jar /app.jar --x", Task("jar", "/app.jar")),
        ("java -jar -jar /app.jar", Task("jar", "/app.jar")),
        ("java -jar -Xmx64m --add-modules java.base /app.jar", Task("jar", "/app.jar")),
        ("java -cp x -jar /app.jar", Task("jar", "/app.jar")),
        ("java -jar -cp x app.Main", Task("class", "app.Main", "x")),
        ("java -cp x Main -jar other.jar", Task("class", "Main", "x")),
        ("java -jar --version", None),
        ("java -cp x Main", Task("class", "Main", "x")),
        ("java @args -jar x.jar", None),
        ("/app/server --config x.py", None),
    ],
)
def test_what_an_interpreter_is_told(words: str, told: Task | None) -> None:
    program, *arguments = words.split()
    assert task(program, tuple(arguments)) == told


def test_variables_that_tell_servers_what_to_serve() -> None:
    flask = {"FLASK_APP": "shop.main", "GUNICORN_CMD_ARGS": ""}
    assert task("flask", ("run",), flask) == Task("app", "shop.main", climbs=True)
    assert task("flask", ("--app", "x", "run"), flask) == Task("app", "x", climbs=True)
    assert task("python3", ("-m", "flask", "run"), flask) == Task("app", "shop.main", server="flask", climbs=True)
    chdir = {"FLASK_APP": "", "GUNICORN_CMD_ARGS": "--chdir /srv"}
    assert task("gunicorn", ("wsgi",), chdir) == Task("app", "wsgi", "/srv", configs=CONFIG)
