from __future__ import annotations

import pytest

from lucid_audit.container.interpret import Task, task


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
        ("gunicorn --chdir=/srv -b localhost:8000 wsgi:application", Task("app", "wsgi", "/srv")),
        ("gunicorn -b unix:/run/x.sock -k gevent wsgi:make()", Task("app", "wsgi")),
        ("gunicorn --pythonpath /x wsgi:app", None),
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
