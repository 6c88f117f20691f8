"""Real texts: docstrings of the Python standard library, by topic of module."""

import ast
import inspect
import sysconfig
from collections.abc import Iterator
from pathlib import Path

# Patterns below the standard library's folder; what a Python version lacks is passed over.
TOPICS = {
    "concurrency": "asyncio/*.py concurrent/futures/*.py multiprocessing/*.py threading.py queue.py sched.py "
    "subprocess.py selectors.py contextvars.py signal.py",
    "files": "shutil.py pathlib.py pathlib/*.py os.py posixpath.py genericpath.py ntpath.py tempfile.py glob.py "
    "fnmatch.py filecmp.py fileinput.py zipfile.py zipfile/*.py tarfile.py gzip.py bz2.py lzma.py _pyio.py shelve.py "
    "dbm/*.py linecache.py stat.py pickle.py plistlib.py mimetypes.py configparser.py",
    "mathematics": "_pydecimal.py fractions.py statistics.py random.py numbers.py colorsys.py bisect.py heapq.py "
    "_pydatetime.py datetime.py calendar.py",
    "network": "http/*.py urllib/*.py xmlrpc/*.py email/*.py socket.py ssl.py socketserver.py smtplib.py ftplib.py "
    "imaplib.py poplib.py ipaddress.py webbrowser.py wsgiref/*.py",
    "programs": "ast.py inspect.py dis.py tokenize.py pdb.py bdb.py trace.py traceback.py profile.py pstats.py "
    "doctest.py unittest/*.py importlib/*.py pkgutil.py",
    "text": "string.py string/*.py textwrap.py re.py re/*.py difflib.py html/*.py json/*.py csv.py locale.py "
    "codecs.py pprint.py shlex.py argparse.py optparse.py xml/sax/*.py xml/dom/*.py base64.py "
    "gettext.py pydoc.py logging/*.py _strptime.py",
}
_WORDS = (5, 80)
_PER_TOPIC = 450


def docstrings() -> tuple[list[str], list[str]]:
    """The first paragraphs of the docstrings, each text once, and the topics as labels.

    The sources are parsed and not imported. A text that stands in modules of two topics belongs to neither.
    """
    library = Path(sysconfig.get_path("stdlib"))
    found: dict[str, str] = {}
    torn: set[str] = set()
    for topic, patterns in TOPICS.items():
        for file in (file for pattern in patterns.split() for file in sorted(library.glob(pattern))):
            for text in _paragraphs(file):
                if found.setdefault(text, topic) != topic:
                    torn.add(text)
    texts: list[str] = []
    labels: list[str] = []
    for topic in TOPICS:
        own = [text for text, its in found.items() if its == topic and text not in torn]
        count = min(len(own), _PER_TOPIC)
        chosen = [own[i * len(own) // count] for i in range(count)]  # evenly over the modules
        texts += chosen
        labels += [topic] * len(chosen)
    return texts, labels


def _paragraphs(file: Path) -> Iterator[str]:
    """The first paragraph of each docstring in a module, on one line."""
    pending: list[ast.AST] = [ast.parse(file.read_bytes())]
    while pending:
        node = pending.pop()
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        pending += node.body
        text = " ".join(inspect.cleandoc(ast.get_docstring(node, clean=False) or "").split("\n\n")[0].split())
        if _WORDS[0] <= text.count(" ") + 1 <= _WORDS[1] and ">>>" not in text:
            yield text
