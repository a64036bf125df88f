# Targets only call programs: the work is in tenantry/, tests/, tools/ and bench/. `make help` lists them.
# A new target needs a line of help after `##`, in its section. For a new check, see CHECKS below.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
MAKEFLAGS += --no-builtin-rules

# The first Python that is new enough; `make demo PYTHON=/path/to/python` selects another one.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
  $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
# Node and npm are in .venv, the cdk8s CLI is in node_modules.
export PATH := $(CURDIR)/.venv/bin:$(CURDIR)/node_modules/.bin:$(PATH)
# Another active virtual environment, or modules on PYTHONPATH, would shadow the locked packages.
# The cdk8s CLI checks for a newer version online, and prints a stack trace when it gets no answer.
export CDK8S_CHECK_UPGRADE := false
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV
# Behind a proxy with its own certificate authority, Node must trust the system's certificates, as pip does.
export NODE_USE_SYSTEM_CA ?= 1
# npm and jsii keep caches in the home folder; they get another one when it is not writable.
export HOME := $(shell test -w "$${HOME:-}" && echo "$$HOME" || echo "$(CURDIR)/build/home")

RUNTIME := .venv/.runtime
DEV := .venv/.dev
NODE := node_modules/.package-lock.json
MODEL := build/models/spam/manifest.json

# Programs of a disposable test cluster, if a checkout of them is next to this one.
export TENANTRY_CLUSTER_TOOLS ?= $(wildcard ../shared/tools/cluster)

# The checks that `.ci/run` and `make check` run. Add a target to the list that names what it needs.
CHECKS := demo test fork-test wheel-test rules page-test store-test drain-test attack kserve-test terraform-test workflows strict
CHECKS_WITH_DOCKER := image-test wheel-container-test
CHECKS_WITH_API_SERVER := validate apply-test
CHECKS_WITH_CLUSTER := e2e-smoke

##@ Start here
.PHONY: help demo serve monitor test
help: ## list every target
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z0-9-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(RUNTIME) $(NODE) ## install, write dist/, train a model, serve every tenant locally, ask each one a question
	@tenantry demo

serve: $(RUNTIME) $(NODE) $(MODEL) ## the same, and keep the tenants running until Ctrl-C
	@tenantry serve

monitor: monitoring-tools $(RUNTIME) ## the same with Prometheus, its rules and some traffic, until Ctrl-C
	@tenantry monitor

test: lint types unit isolation ## lint, types, unit and snapshot tests; needs no cluster

##@ Write
.PHONY: synth schema imports update-imports chart-facts bump generated diagram panels incident train snap settings-table audit-examples viewer terraform-docs
synth: $(RUNTIME) $(NODE) ## write dist/ from platform.yaml
	@cdk8s synth

schema: $(RUNTIME) ## write platform.schema.json and docs/platform-yaml.md from the model of platform.yaml
	@python -m constructs_lib.platform.schema platform.schema.json
	@python -m constructs_lib.platform.reference docs/platform-yaml.md

imports: $(RUNTIME) $(NODE) ## regenerate the bindings in imports/ from imports/crds/
	@cdk8s import

train: $(RUNTIME) $(NODE) ## train the spam model into build/models/spam
	@tenantry train

$(MODEL): | $(RUNTIME) $(NODE)
	@tenantry train

snap: schema $(DEV) $(NODE) ## write dist/ and the schema again after a change, and check them
	@tenantry synth
	@pytest -q tests/snapshot/test_dist.py tests/snapshot/test_profiles.py --snapshot-update

update-imports: $(DEV) ## update imports/ to the CRDs of the chart that terraform/platform installs (helm)
	@tools/update_crds.py
	@$(MAKE) --no-print-directory imports

HELM := helm.sh/helm/v3/cmd/helm@v3.22.0
chart-facts: $(DEV) ## record in tests/charts what the Helm charts render with our values (fetches the charts)
	@PATH="$$(tools/go-program helm $(HELM)):$$PATH" python -m tools.chart_facts

bump: $(RUNTIME) $(NODE) ## set the image in platform.yaml and synthesize dist/: make bump IMAGE=name:tag@sha256:... (ONNX_IMAGE=...)
	@tenantry bump $(IMAGE) $(if $(ONNX_IMAGE),--onnx-image $(ONNX_IMAGE))

generated: synth schema imports diagram settings-table audit-examples strict-report terraform-docs conformance-cases viewer ## write every generated file that is committed

panels: monitoring-tools ## draw docs/monitoring/*.png from the data of a local run (MINUTES=6)
	@python -m tools.draw_panels $(or $(MINUTES),6)

incident: monitoring-tools ## draw docs/monitoring/incident-*.png from a local run with three problems (SECONDS_EACH=90)
	@python -m tools.draw_incident $(or $(SECONDS_EACH),90)

diagram: $(DEV) ## draw docs/architecture.{svg,png} from dist/ and terraform/
	@python -m tools.diagram

settings-table: $(RUNTIME) ## write the table of the service's settings in docs/service.md
	@python -m tools.settings_table

audit-examples: $(RUNTIME) ## write the examples in docs/audit.md and docs/audit.schema.json
	@python -m tools.audit_examples

viewer: $(NODE) ## copy the API viewer from node_modules into the service (inference/serving/viewer)
	@python tools/vendor_viewer.py

terraform-docs: $(DEV) ## write the tables of terraform/*/README.md
	@tools/terraform_docs.py

##@ Check
.PHONY: lint types unit isolation fork-test wheel-test wheel-container-test page-test rules audit-diff audit-proof drain-test attack kserve-test store-test apply-test workflows strict strict-report terraform-test terraform-full check checks
lint: $(DEV) ## ruff, import-linter, codespell, hadolint, shellcheck, zizmor; actionlint, which needs Go, is in `make workflows`
	@ruff check .
	@ruff format --check .
	@lint-imports --no-cache --no-logo
	@codespell
	@hadolint Dockerfile tests/e2e/images/*.Dockerfile
	@git grep -lE '^#!.*bash$$' | xargs shellcheck
	@zizmor --offline --quiet .github

types: $(DEV) ## mypy, strict
	@mypy

unit: $(DEV) $(NODE) ## unit and snapshot tests
	@pytest

page-test: $(DEV) ## the service's page in a real browser (Chromium); leaves pictures in build/page
	@pytest tests/browser

rules: monitoring-tools ## test every alert and panel with a real Prometheus and Alertmanager
	@pytest tests/rules

isolation: $(RUNTIME) ## compare dist/ with the isolation contract that platform.yaml means (FORMAT=text, ATTEST=file)
	@tenantry audit check dist/ --format $(or $(FORMAT),text) $(if $(ATTEST),--attest $(ATTEST))

audit-diff: $(RUNTIME) ## write what a change to dist/ does, as Markdown (BASE=origin/main, OUTPUT=/dev/stdout)
	@tenantry audit diff $(or $(BASE),origin/main) --format markdown > $(or $(OUTPUT),/dev/stdout)

audit-proof: $(DEV) ## write docs/audit-proof.md: what the audit is compared with, and the differences (CLUSTERS=3000)
	@python -m tests.audit.proof docs/audit-proof.md

drain-test: $(DEV) ## restart the service ten times under load, behind a load balancer: no request may fail
	@pytest -s tests/abuse/test_drain.py

attack: $(DEV) ## run hostile clients against the service: others are served, memory is bounded, nothing is left
	@pytest -s tests/abuse/test_attack.py tests/abuse/test_fairness.py

fork-test: $(DEV) $(NODE) ## unit and snapshot tests in a copy whose platform.yaml lists other tenants
	@tools/fork-test

wheel-test: $(DEV) ## build sdist and wheels, install them in an empty folder, use every command (WHEEL_PYTHON=python3.13, DISTRIBUTIONS=folder)
	@$(if $(WHEEL_PYTHON),WHEEL_PYTHON=$(WHEEL_PYTHON)) $(if $(DISTRIBUTIONS),DISTRIBUTIONS=$(abspath $(DISTRIBUTIONS))) pytest tests/wheel --ignore tests/wheel/container

wheel-container-test: $(DEV) | docker ## install the wheel where Python is and nothing else, as a user without a home folder (BASE=python:3.11-slim)
	@$(if $(BASE),BASE=$(BASE)) pytest tests/wheel/container

KSERVE := build/kserve/.ready
kserve-test: $(DEV) $(KSERVE) ## query the service with KServe's client (installs 450 MB into build/kserve once)
	@KSERVE_PYTHON=build/kserve/bin/python pytest tests/kserve

$(KSERVE): tests/kserve/requirements.lock
	@echo "installing what $< names, into build/kserve"
	@$(PYTHON) -m venv build/kserve
	@build/kserve/bin/pip install --disable-pip-version-check --quiet --require-hashes -r $<
	@touch $@

VERSITYGW := github.com/versity/versitygw/cmd/versitygw@v1.8.0
store-test: $(DEV) ## publish, load and deny on a real S3 server (versitygw) with the policies that Terraform creates
	@PATH="$$(tools/go-program versitygw $(VERSITYGW)):$$PATH" pytest tests/store

apply-test: $(DEV) ## test `tenantry apply` on a real API server (etcd and kube-apiserver; Go downloads them if they are not on PATH)
	@PATH="$$(tools/control-plane):$$PATH" pytest tests/apply

ACTIONLINT := github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
workflows: $(DEV) ## actionlint on .github/workflows (built with Go if not on PATH); zizmor is part of `make lint`
	@"$$(tools/go-program actionlint $(ACTIONLINT))/actionlint"

STRICT := build/strict/.ready
strict: $(DEV) $(STRICT) ## kubeconform, kube-score, kube-linter, polaris, checkov, tflint (Go; STRICT_WITHOUT="kube-linter polaris")
	@python -m tools.strict $(addprefix --without ,$(STRICT_WITHOUT))

$(STRICT): tools/strict/requirements.lock
	@echo "installing what $< names, into build/strict"
	@$(PYTHON) -m venv build/strict
	@build/strict/bin/pip install --disable-pip-version-check --quiet --require-hashes -r $<
	@touch $@

strict-report: $(DEV) ## write docs/strict.md from tools/strict/exceptions.yaml
	@python -m tools.strict --write-report

terraform-test: ## check the format of terraform/ and test its modules (Terraform or OpenTofu; no network)
	@tools/terraform-test

terraform-full: ## the same, and init, validate and test both root modules (downloads the providers)
	@tools/terraform-test --roots

check: $(CHECKS) $(CHECKS_WITH_DOCKER) $(CHECKS_WITH_API_SERVER) $(CHECKS_WITH_CLUSTER) ## run all checks; needs Docker and a disposable cluster in KUBECONFIG

checks: # the lists, for .ci/run
	@echo 'CHECKS="$(CHECKS)"; CHECKS_WITH_DOCKER="$(CHECKS_WITH_DOCKER)"'
	@echo 'CHECKS_WITH_API_SERVER="$(CHECKS_WITH_API_SERVER)"; CHECKS_WITH_CLUSTER="$(CHECKS_WITH_CLUSTER)"'

##@ Measure
.PHONY: bench bench-ladder bench-scorers
bench: $(DEV) $(NODE) ## compare the service with its alternatives (13 minutes on a quiet machine; wrk, two cores)
	@python -m bench.serving --picture docs/serving.svg --readme README.md
	@python -m bench.tabular

bench-ladder: $(DEV) $(NODE) ## what each optimization gained, and where a request spends its time (wrk, two cores)
	@python -m bench.ladder

bench-scorers: $(DEV) $(NODE) ## the cost of scoring one text, for each scorer
	@python -m bench.scorers

.PHONY: conformance-peers conformance-cases
conformance-peers: $(DEV) $(NODE) $(MODEL) ## test this service and other servers for conformance to the Open Inference Protocol (1 GB, in build/conformance)
	@python -m bench.conformance $(if $(ONLY),--only $(ONLY))

conformance-cases: $(RUNTIME) ## write the table of cases in docs/conformance.md
	@python -m bench.conformance --cases

.PHONY: bench-synth
bench-synth: $(RUNTIME) ## synthesize 1, 10, 100 and 1,000 tenants; writes bench/results/synth.json
	@python -m bench.synth

.PHONY: bench-audit
bench-audit: $(RUNTIME) ## audit up to 1,000 tenants and 60,000 policies; writes bench/results/audit.json (PEER="program options")
	@python -m bench.audit $(if $(PEER),--peer '$(PEER)')

.PHONY: bench-scale
bench-scale: $(DEV) $(NODE) ## time and memory of synth, apply and audit for 1 to 1,000 tenants; writes bench/results/scale.json and docs/scale.svg (COUNTS="1 10")
	@PATH="$$(tools/control-plane):$$PATH" python -m bench.scale $(if $(COUNTS),--counts $(COUNTS))

.PHONY: bench-series
bench-series: monitoring-tools ## memory and disk of a real Prometheus per series (6 minutes); writes bench/results/series.json
	@python -m bench.series

.PHONY: bench-rules
bench-rules: monitoring-tools ## CPU time of a real Prometheus per tenant, for 1, 10 and 100 tenants; writes bench/results/rules.json
	@python -m bench.rules

##@ Image
.PHONY: image image-test image-smoke
IMAGE ?= ml-inference-service:dev
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 0)

image: | docker ## build the service's image (IMAGE=name:tag, IMAGE_RUNTIME=onnx, BASE=python:3.11-slim)
	@docker build --quiet --tag $(IMAGE) --build-arg SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) --build-arg REVISION=$$(git rev-parse HEAD 2>/dev/null || echo unknown) $(if $(BASE),--build-arg BASE=$(BASE)) $(if $(filter onnx,$(IMAGE_RUNTIME)),--target onnx) .

image-test: $(DEV) | docker ## build each image twice, compare both, run it hardened, inspect it
	@pytest tests/image

image-smoke: $(DEV) | docker ## run the image IMAGE hardened and send requests to it (IMAGE_RUNTIME=onnx)
	@IMAGE_UNDER_TEST=$(IMAGE) pytest tests/image/test_$(if $(filter onnx,$(IMAGE_RUNTIME)),onnx_)image.py -k "answers or package or weighs or bytecode or contract"

.PHONY: docker
docker:
	@command -v docker >/dev/null || { echo "this target needs Docker: no 'docker' on PATH" >&2; exit 1; }
	@docker info >/dev/null 2>&1 || { echo "this target needs Docker: 'docker info' does not answer; start the engine" >&2; exit 1; }

##@ On a cluster
.PHONY: validate up smoke load down apply e2e e2e-smoke e2e-gateway e2e-mutations audit-live audit-api
validate: $(RUNTIME) ## apply dist/ to a disposable cluster, check that its pods are admitted, delete it (CONFIRM=context, DRY_RUN=1)
	@tenantry validate

up: $(RUNTIME) $(NODE) ## create Kind, monitoring, MinIO, dist/ and a model for every tenant (Docker, Terraform, kubectl)
	@tenantry up

smoke: $(RUNTIME) ## send a question to every tenant on the cluster through port-forward
	@tenantry smoke

load: $(RUNTIME) ## send load to one tenant and watch it scale (TENANT=tenant-a DURATION=240)
	@tenantry load $(TENANT) --seconds $(or $(DURATION),240)

down: $(RUNTIME) ## delete what make up created
	@tenantry down

apply: synth ## apply dist/ to the cluster and prune what dist/ no longer contains (CONFIRM="context tenant", DRY_RUN=1, ALL=1)
	@tenantry apply $(if $(DRY_RUN),--dry-run) $(if $(ALL),--all)

e2e: $(DEV) $(NODE) $(MODEL) ## verify every guarantee on a cluster; report in build/e2e/ (CONFIRM=context, IMAGE=, ONNX_IMAGE=, DISPOSABLE=1)
	@tenantry e2e all --image $(IMAGE) $(if $(ONNX_IMAGE),--onnx-image $(ONNX_IMAGE))

e2e-smoke: $(DEV) $(NODE) $(MODEL) ## the short form: apply, readiness, predictions, isolation
	@tenantry e2e smoke --image $(IMAGE)

e2e-gateway: $(DEV) ## install Envoy Gateway for the tests of the gateway in make e2e (CONFIRM=context, FROM_SOURCE=1, REMOVE=1)
	@PATH="$$(tools/go-program helm $(HELM)):$$PATH" python -m tests.e2e.envoy_gateway $(if $(FROM_SOURCE),--from-source) $(if $(REMOVE),--remove)

audit-live: $(DEV) ## compare the audit with a cluster: random policies, probed pair by pair (CONFIRM=context, SETS=200)
	@python -m tests.audit.live --sets $(or $(SETS),200)

audit-api: $(DEV) ## compare the audit with an API server: random roles and bindings, request by request (CONFIRM=context)
	@python -m tests.audit.api

e2e-mutations: $(DEV) $(NODE) $(MODEL) ## break manifests one by one and check that the suite fails each time
	@tenantry e2e mutations --image $(IMAGE)

##@ Set up
.PHONY: install monitoring-tools lock clean
install: $(DEV) $(NODE) ## everything that make test needs

monitoring-tools: $(DEV) ## find prometheus, promtool, alertmanager and amtool on PATH, or unpack them from Debian packages
	@tools/monitoring-tools

lock: $(DEV) ## update the locks from pyproject.toml and package.json
	@tools/lock

clean: ## remove everything that make created, except the locks and dist/
	rm -rf .venv node_modules build

.venv/bin/python:
	@[ -n "$(PYTHON)" ] && $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Tenantry needs Python 3.11 or newer$(if $(PYTHON),; $(PYTHON) is $$($(PYTHON) --version 2>&1)); say which: make $(MAKECMDGOALS) PYTHON=/path/to/python3.12" >&2; exit 1; }
	@echo "setting up .venv with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo "no virtual environment could be made: on Debian and Ubuntu install python3-venv" >&2; exit 1; }

$(RUNTIME): requirements.lock pyproject.toml setup.py $(wildcard inference/*/*.pyx) | .venv/bin/python
	@echo "installing what requirements.lock names (once, a minute or two)"
	@tools/install-locked requirements.lock
	@python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation --editable .
	@ln -sf ../../tools/cdk8s .venv/bin/cdk8s
	@touch $@

$(DEV): requirements-dev.lock $(RUNTIME)
	@echo "installing what requirements-dev.lock names (once, a minute or two)"
	@tools/install-locked requirements-dev.lock
	@touch $@

$(NODE): package.json package-lock.json | $(RUNTIME)
	@echo "installing what package-lock.json names: the cdk8s CLI and the corpus"
	@npm ci --ignore-scripts --no-audit --no-fund --loglevel error
	@touch $@
