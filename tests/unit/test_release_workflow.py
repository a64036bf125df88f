"""The workflow that releases the images, and the weekly scan of what it has released.

Each image is built once, scanned and tested as a file, and pushed as that file.
"""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from constructs_lib.platform.runtime import runtime_image
from inference import contract
from tests.paths import ROOT, TEMPLATE
from tests.workflows import FOLDER, jobs_of, read_workflow, run, script

RELEASE = jobs_of(FOLDER / "release.yml")
RESCAN = jobs_of(FOLDER / "rescan.yml")


def _matrix(job: dict[str, Any]) -> dict[str, Any]:
    matrix: dict[str, Any] = job["strategy"]["matrix"]
    return matrix


def _with(job: dict[str, Any], action: str) -> list[dict[str, Any]]:
    return [step["with"] for step in job["steps"] if action in step.get("uses", "")]


def test_what_is_pushed_was_scanned_and_tried_before() -> None:
    assert set(RELEASE["push"]["needs"]) == {"build", "scan", "smoke"}
    assert RELEASE["scan"]["needs"] == RELEASE["smoke"]["needs"] == "build"
    assert "build-push-action" not in str(RELEASE["push"])
    builders = [step["with"] for step in RELEASE["build"]["steps"] if "build-push-action" in step.get("uses", "")]
    assert [build["outputs"].split(",")[0] for build in builders] == ["type=oci", "type=oci"]
    assert not any("push" in build for build in builders)


def test_the_image_of_each_runtime_is_built_scanned_tried_and_pushed() -> None:
    """A job of a matrix waits for every job of the others: neither image is pushed if one of them fails."""
    for name in ("build", "scan", "report", "smoke", "push"):
        assert _matrix(RELEASE[name])["runtime"] == list(contract.RUNTIMES), name
    for name in ("scan", "report"):
        assert _matrix(RELEASE[name])["architecture"] == _matrix(RESCAN[name])["architecture"] == ["amd64", "arm64"]
    assert {runtime: RELEASE["build"]["outputs"][runtime] for runtime in contract.RUNTIMES} == {
        runtime: f"${{{{ steps.digest.outputs.{runtime} }}}}" for runtime in contract.RUNTIMES
    }
    assert RELEASE["push"]["env"]["DIGEST"] == "${{ needs.build.outputs[matrix.runtime] }}"


def test_an_archive_has_the_name_of_its_runtime_from_the_build_to_the_push() -> None:
    (built,) = _with(RELEASE["build"], "upload-artifact")
    taken = [with_ for job in ("scan", "smoke", "push") for with_ in _with(RELEASE[job], "download-artifact")]
    assert [each["name"] for each in (built, *taken)] == ["image-${{ matrix.runtime }}"] * 4
    for jobs, runtime in ((RELEASE, "matrix.runtime"), (RESCAN, "matrix.image.runtime")):
        (found,), (read,) = _with(jobs["scan"], "upload-artifact"), _with(jobs["report"], "download-artifact")
        assert found["name"] == read["name"] == f"sarif-${{{{ {runtime} }}}}-${{{{ matrix.architecture }}}}"
        (uploaded,) = _with(jobs["report"], "upload-sarif")
        assert uploaded["category"] == f"trivy-${{{{ {runtime} }}}}-${{{{ matrix.architecture }}}}"


def test_every_build_selects_the_target_of_its_runtime() -> None:
    """The image for texts is the last stage of the Dockerfile, also in commits that have no other target."""
    stages = re.findall(r"(?m)^FROM \S+(?: AS (\S+))?$", (ROOT / "Dockerfile").read_text())
    assert "onnx" in stages
    assert stages[-1] == ""
    assert RELEASE["build"]["env"]["TARGET"] == "${{ matrix.runtime == 'onnx' && 'onnx' || '' }}"
    builds = _with(RELEASE["build"], "build-push-action")
    assert [each["target"] for each in builds] == ["${{ env.TARGET }}"] * 2
    assert [each["platforms"] for each in builds] == ["linux/amd64,linux/arm64", "linux/amd64"]
    assert {key: builds[0][key] for key in ("provenance", "sbom")} == {"provenance": "mode=max", "sbom": True}
    (again,) = _with(RESCAN["rebuild"], "build-push-action")
    assert again["target"] == "${{ matrix.image.runtime == 'onnx' && 'onnx' || '' }}"


def test_a_build_gives_its_digest_the_name_of_its_runtime(tmp_path: Path) -> None:
    """The step that compares both builds, run as it is written; unequal builds give no digest."""
    (compare,) = (step for step in RELEASE["build"]["steps"] if step.get("id") == "digest")
    assert compare["env"] == {"RUNTIME": "${{ matrix.runtime }}"}
    (tmp_path / "tools").mkdir()
    for again, code, output in (("sha256:1", 0, "onnx=sha256:1\n"), ("sha256:2", 1, "")):
        script(tmp_path / "tools" / "oci_digest.py", f"case $1 in again.tar) echo {again} ;; *) echo sha256:1 ;; esac")
        (tmp_path / "output").write_text("")
        done = run(compare, tmp_path, RUNTIME="onnx", GITHUB_OUTPUT=str(tmp_path / "output"))
        assert (done.returncode, (tmp_path / "output").read_text()) == (code, output)


@pytest.mark.parametrize(("runtime", "suffix"), [("text", ""), ("onnx", "-onnx")])
@pytest.mark.parametrize("released", [False, True])
def test_each_image_gets_the_tags_that_platform_yaml_derives(
    tmp_path: Path, runtime: str, suffix: str, *, released: bool
) -> None:
    """The step that pushes, run as it is written: a version's tag is not moved, and those of the runtimes are apart."""
    assert RELEASE["push"]["env"]["SUFFIX"] == "${{ matrix.runtime == 'onnx' && '-onnx' || '' }}"
    (push,) = (step for step in RELEASE["push"]["steps"] if "skopeo copy" in step.get("run", ""))
    log, tags = tmp_path / "log", f'{{"Tags": ["1.0.0{suffix if released else "-other"}"]}}'
    script(
        tmp_path / "skopeo",
        f"""case $1 in
          copy) for last; do :; done; echo "$last" >> {log}; printf %s "$DIGEST" > pushed ;;
          list-tags) echo '{tags}' ;;
        esac""",
    )
    script(tmp_path / "jq", 'grep --fixed-strings --quiet "\\"$4\\""')  # whether the list has the tag
    done = run(
        push, tmp_path, IMAGE="you/service", DIGEST="sha256:1", SUFFIX=suffix, VERSION="1.0.0", GITHUB_SHA="c0ffee"
    )
    assert done.returncode == 0, done.stderr
    expected = ["c0ffee", "latest", *([] if released else ["1.0.0"])]
    assert log.read_text().splitlines() == [
        "docker://docker.io/" + runtime_image(f"you/service:{tag}", runtime) for tag in expected
    ]


def test_a_pushed_image_is_signed_by_its_digest() -> None:
    """The digest is that of the job's own image."""
    scripts = [step["run"] for step in RELEASE["push"]["steps"] if "cosign" in step.get("run", "")]
    assert len(scripts) == 2
    assert all('"docker.io/$IMAGE@$DIGEST"' in text for text in scripts)
    assert not any("DIGEST" in step.get("env", {}) for step in RELEASE["push"]["steps"])


def test_the_pull_request_sets_the_digests_of_both_images(tmp_path: Path) -> None:
    """The steps run as they are written: platform.yaml gets both, and the request names both."""
    digests = {"DIGEST": "${{ needs.build.outputs.text }}", "ONNX_DIGEST": "${{ needs.build.outputs.onnx }}"}
    bump, propose = RELEASE["deploy"]["steps"][-2:]
    assert bump["env"] == digests
    assert propose["env"].items() >= digests.items()
    (tmp_path / "tools").mkdir()
    for program in ("make", "gh", "tools/propose"):
        script(tmp_path / program, f'printf "%s\\n" "$@" >> {tmp_path}/{Path(program).name}.log')
    given = {"DIGEST": "sha256:1", "ONNX_DIGEST": "sha256:2", "IMAGE": "you/service", "GITHUB_SHA": "c0ffee"}
    for step in (bump, propose):
        assert run(step, tmp_path, **given).returncode == 0
    assert (tmp_path / "make.log").read_text().splitlines() == [
        "bump",
        "IMAGE=you/service:c0ffee@sha256:1",
        f"ONNX_IMAGE={runtime_image('you/service:c0ffee', 'onnx')}@sha256:2",
    ]
    _, _, body, *paths = (tmp_path / "propose.log").read_text().splitlines()
    assert "`you/service@sha256:1`" in body
    assert "`you/service@sha256:2`" in body
    assert paths == ["platform.yaml", "dist"]


def test_the_weekly_scan_covers_the_images_that_platform_yaml_deploys() -> None:
    for name in ("scan", "report", "rebuild"):
        assert _matrix(RESCAN[name])["image"] == "${{ fromJSON(needs.images.outputs.images) }}"
        assert "images" in RESCAN[name]["needs"]
    assert "tools/deployed_images.py platform.yaml" in RESCAN["images"]["steps"][-1]["run"]
    (checkout,) = _with(RESCAN["rebuild"], "actions/checkout@")
    assert checkout["ref"] == "${{ matrix.image.revision }}"


def test_nothing_but_main_is_released() -> None:
    """All other jobs wait for the build; the one with the registry's token has an environment that owners can close."""
    assert RELEASE["build"]["if"] == "github.ref == 'refs/heads/main'"
    assert all("needs" in job for name, job in RELEASE.items() if name != "build")
    assert RELEASE["push"]["environment"] == "release"


def test_the_scan_stops_at_fixable_high_and_critical() -> None:
    gate = RELEASE["scan"]["steps"][-1]["with"]
    assert (gate["severity"], gate["ignore-unfixed"], gate["exit-code"]) == ("HIGH,CRITICAL", True, "1")


def test_an_image_is_built_when_what_goes_into_it_changes_and_not_otherwise() -> None:
    release = read_workflow(FOLDER / "release.yml")
    copied = set()
    for arguments in re.findall(r"(?m)^COPY (?!--from)(.+)$", (ROOT / "Dockerfile").read_text()):
        copied |= {f"{name}/**" if (ROOT / name).is_dir() else name for name in arguments.split()[:-1]}
    own = {"Dockerfile", ".dockerignore", ".github/base-image/Dockerfile", ".github/workflows/release.yml"}
    assert set(release["on"]["push"]["paths"]) == copied | own
    assert release["on"]["push"]["branches"] == ["main"]


def test_the_version_that_platform_yaml_names_is_pushed_as_a_tag() -> None:
    """The first apply pulls the image by its version, before any digest has been proposed."""
    push = next(step for step in RELEASE["push"]["steps"] if "skopeo copy" in step.get("run", ""))
    assert push["env"]["VERSION"] == "${{ needs.build.outputs.version }}"
    assert 'push "$VERSION"' in push["run"]
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    default = re.search(r"(?m)^ARG VERSION=(.+)$", (ROOT / "Dockerfile").read_text())
    assert default is not None
    assert default[1] == version
    image = yaml.safe_load(TEMPLATE.read_text())["platform"]["image"]
    assert "@sha256:" in image or image.endswith(f":{version}")
