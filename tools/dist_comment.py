#!/usr/bin/env python3
"""Print what a change does to dist/, as a comment for its pull request (Markdown).

    tools/dist_comment.py origin/main [SUMMARY]

The file SUMMARY (what `tenantry audit diff --format markdown` prints) comes first, then each file, folded, while there
is room. Compares the working tree's dist/ with that of the commit where the branch left its base. The comment begins
with a marker, by which the workflow finds its own comment again, and never exceeds what GitHub takes.
"""

import re
import subprocess
import sys
from pathlib import Path

MARKER = "<!-- tenantry: what changes in dist -->"
LIMIT = 65_536  # GitHub's, in characters
ROOM = 400  # for the line about what was left out, and for the closing fence


def main(base: str, summary: str = "", limit: int = LIMIT) -> str:
    """The comment about the changes since `base`, of at most `limit` UTF-16 units, which is how GitHub counts."""
    start = _git("merge-base", base, "HEAD").strip()
    files = [part for part in re.split(r"(?m)^(?=diff --git )", _git("diff", start, "--", "dist")) if part]
    if not files:
        return f"{MARKER}\nThis change leaves `dist/` as it is: the cluster stays the same.\n"
    heading = f"{summary.strip()}\n\n### The manifests, line by line" if summary else "### Changes in `dist/`"
    text = f"{MARKER}\n{heading}\n\n{_git('diff', '--shortstat', start, '--', 'dist').strip()}\n"
    for index, diff in enumerate(files):
        section = _section(diff)
        if _length(text + section) > limit - ROOM:
            text += _cut(diff, limit - ROOM - _length(text))
            left = len(files) - index - 1
            text += f"\nCut here, for GitHub's limit{f'; {left} more files change' if left else ''}. "
            return text + f"All of it: `git diff {start[:12]} -- dist`\n"
        text += section
    return text


def _section(diff: str) -> str:
    """The changes of one file, folded, in a fence that their content cannot close."""
    name = diff.splitlines()[0].rpartition(" b/")[2]
    lines = diff.splitlines()
    added = sum(line.startswith("+") and not line.startswith("+++") for line in lines)
    removed = sum(line.startswith("-") and not line.startswith("---") for line in lines)
    fence = "`" * (max((len(run) for run in re.findall("`+", diff)), default=0) + 3)
    body = diff if diff.endswith("\n") else f"{diff}\n"
    summary = f"<summary><code>{name}</code> +{added} -{removed}</summary>"
    return f"\n<details>{summary}\n\n{fence}diff\n{body}{fence}\n\n</details>\n"


def _cut(diff: str, room: int) -> str:
    """As many whole lines of the changes of one file as fit."""
    kept = diff.splitlines(keepends=True)
    while len(kept) > 1 and _length(_section("".join(kept))) > room:
        kept = kept[: len(kept) * 3 // 4]
    section = _section("".join(kept))
    return section if _length(section) <= room else ""


def _length(text: str) -> int:
    return len(text.encode("utf-16-le", errors="surrogatepass")) // 2


def _git(*arguments: str) -> str:
    command = ["git", "-c", "core.quotePath=false", "-c", "diff.noprefix=false", "-c", "diff.mnemonicPrefix=false"]
    done = subprocess.run([*command, *arguments], capture_output=True, check=False)
    if done.returncode:
        sys.exit(f"git {' '.join(arguments)}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout.decode(errors="replace")


if __name__ == "__main__":
    if len(sys.argv) not in {2, 3}:
        sys.exit(__doc__)
    sys.stdout.write(main(sys.argv[1], Path(sys.argv[2]).read_text("utf-8") if sys.argv[2:] else ""))
