"""The comment on a pull request that shows what changes in dist/."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.paths import ROOT

SCRIPT = ROOT / "tools" / "dist_comment.py"
LIMIT = 65_536


class Repository:
    """A git repository whose branch leaves `main` and changes dist/."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str) -> str:
        identity = ["-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgSign=false"]
        command = ["git", *identity, *arguments]
        return subprocess.run(command, cwd=self.folder, check=True, capture_output=True, text=True).stdout

    def write(self, name: str, text: str) -> None:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def commit(self) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "A change")

    def comment(self, base: str = "main", *summary: str) -> str:
        done = subprocess.run([SCRIPT, base, *summary], cwd=self.folder, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    repository = Repository(tmp_path)
    repository.write("dist/a.k8s.yaml", "replicas: 1\n")
    repository.write("dist/b.k8s.yaml", "kept: yes\n")
    repository.commit()
    repository.git("switch", "--quiet", "--create", "branch")
    return repository


def test_shows_the_change_of_each_file_and_nothing_else(repository: Repository) -> None:
    repository.write("dist/a.k8s.yaml", "replicas: 2\n")
    repository.write("dist/c.k8s.yaml", "new: file\n")
    repository.write("README.md", "not of interest\n")
    repository.commit()
    comment = repository.comment()
    assert comment.startswith("<!-- tenantry: what changes in dist -->\n")
    assert "2 files changed, 2 insertions(+), 1 deletion(-)" in comment
    assert "<code>dist/a.k8s.yaml</code> +1 -1" in comment
    assert "-replicas: 1\n+replicas: 2\n" in comment
    assert "+new: file\n" in comment
    assert "README" not in comment
    assert "b.k8s.yaml" not in comment


def test_says_so_when_nothing_changes(repository: Repository) -> None:
    repository.write("README.md", "not of interest\n")
    repository.commit()
    assert "leaves `dist/` as it is" in repository.comment()


def test_what_changed_on_the_base_since_is_not_the_branchs_doing(repository: Repository) -> None:
    repository.git("switch", "--quiet", "main")
    repository.write("dist/b.k8s.yaml", "kept: no\n")
    repository.commit()
    repository.git("switch", "--quiet", "branch")
    repository.write("dist/a.k8s.yaml", "replicas: 2\n")
    repository.commit()
    assert "b.k8s.yaml" not in repository.comment()


@pytest.mark.parametrize("line", ["x", "an emoji \N{GRINNING FACE} and more", "ünïcödé", "`" * 40])
@pytest.mark.parametrize("lines", [1_000, 10_000, 20_000])
def test_never_exceeds_githubs_limit(repository: Repository, line: str, lines: int) -> None:
    repository.write("dist/a.k8s.yaml", "".join(f"{number} {line}\n" for number in range(lines)))
    repository.write("dist/z.k8s.yaml", "last: file\n")
    repository.commit()
    comment = repository.comment()
    assert _units(comment) <= LIMIT
    whole = f"+{lines - 1} {line}\n" in comment
    assert whole == ("Cut here" not in comment)
    assert whole == ("+last: file\n" in comment)
    if not whole:
        assert "1 more files change" in comment
        assert _units(comment) > LIMIT // 2, "most of the room is used"


def test_one_line_that_is_too_long_is_left_out(repository: Repository) -> None:
    repository.write("dist/a.k8s.yaml", "x" * 200_000)
    repository.commit()
    comment = repository.comment()
    assert _units(comment) <= LIMIT
    assert "Cut here" in comment


def test_nothing_in_a_file_can_leave_its_fence(repository: Repository) -> None:
    repository.write("dist/a.k8s.yaml", "text: |\n  ```\n  ````` </details> # A heading\n")
    repository.commit()
    comment = repository.comment()
    (fence,) = set(re.findall(r"(?m)^(`+)(?:diff)?$", comment))
    assert len(fence) > len("`````")


def test_an_unknown_base_is_an_error(repository: Repository) -> None:
    done = subprocess.run([SCRIPT, "nowhere"], cwd=repository.folder, check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert "git merge-base nowhere HEAD" in done.stderr


def test_a_summary_comes_first_and_the_manifests_below_it(repository: Repository) -> None:
    repository.write("dist/a.k8s.yaml", "replicas: 2\n")
    repository.commit()
    summary = repository.folder / "summary.md"
    summary.write_text("### What this change does: nothing\n")
    text = repository.comment("main", str(summary))
    assert (
        text.index("### What this change does")
        < text.index("### The manifests, line by line")
        < text.index("<details>")
    )


def test_the_manifests_are_cut_where_a_long_summary_leaves_no_room(repository: Repository) -> None:
    repository.write("dist/a.k8s.yaml", "replicas: 2\n" * 5000)
    repository.commit()
    summary = repository.folder / "summary.md"
    summary.write_text("x" * 60_000)
    text = repository.comment("main", str(summary))
    assert "x" * 60_000 in text
    assert _units(text) <= LIMIT
