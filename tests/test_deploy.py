"""What lies in deploy/ is linted, and says what the command line takes; it was not run on a cluster of machines."""

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from emorank.cli import make_app

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"


def manifest() -> Any:
    (document,) = [each for each in yaml.safe_load_all((DEPLOY / "kuberay.yaml").read_text()) if each]
    return document


def test_the_dockerfile_is_linted() -> None:
    hadolint = Path(sys.executable).parent / "hadolint"
    done = subprocess.run([hadolint, DEPLOY / "Dockerfile"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_manifest_is_linted() -> None:
    rules = "{extends: default, rules: {line-length: {max: 120}}}"
    command = [sys.executable, "-m", "yamllint", "-s", "-d", rules, str(DEPLOY / "kuberay.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_its_pods_are_what_kubernetes_takes() -> None:
    """KubeRay's own kinds have no schema in the packages; those of the pods within are Kubernetes'."""
    import kubernetes_validate

    cluster = manifest()["spec"]["rayClusterSpec"]
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    for group in groups:
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "pod"}, **group["template"]}
        kubernetes_validate.validate(pod, kubernetes_validate.latest_version(), strict=True)
    assert len(groups) == 2


def test_its_command_parses_and_its_ray_is_ours() -> None:
    words = shlex.split(manifest()["spec"]["entrypoint"])
    make_app(words[1:]).parse_args(words[1:], exit_on_error=False, print_error=False)
    pinned = re.search(r"^ray==(.+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    assert pinned
    assert manifest()["spec"]["rayClusterSpec"]["rayVersion"] == pinned[1]
