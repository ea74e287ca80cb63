# Everything is built below target/ and installed below .local/; both can be
# deleted at any time. `make` alone lists the targets.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# What the end-to-end tests, the demo and the examples run against.
export GATE_WASM := $(CURDIR)/target/n8n-idp-gate.wasm
export HOST_CRYPTO_WASM := $(CURDIR)/target/host-crypto.wasm
export NEIGHBOUR_WASM := $(CURDIR)/target/neighbour.wasm
export ENVOY_BIN := $(CURDIR)/.local/bin/envoy
export NODE24_BIN := $(CURDIR)/.local/bin/node24
export KEYCLOAK_DIR := $(CURDIR)/.local/keycloak
export LEMONLDAP_DIR := $(CURDIR)/.local/lemonldap
export HYDRA_DIR := $(CURDIR)/.local/hydra
export CRDS_DIR := $(CURDIR)/.local/crds
export CHARTS_DIR := $(CURDIR)/.local/charts
export SPRING_DIR := $(CURDIR)/.local/spring
export CRANE_BIN := $(CURDIR)/.local/crane/crane
export OBSERVERS_DIR := $(CURDIR)/.local/observers
export PROVIDER_DIR := $(CURDIR)/.local/provider
export N8N_DIR := $(CURDIR)/.local/n8n
export N8N_1_DIR := $(CURDIR)/.local/n8n-1
export CHROMIUM_BIN := $(CURDIR)/.local/chromium/chromium

CARGO ?= cargo

.PHONY: help
help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z0-9-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: wasm
wasm: ## compile the filter to target/n8n-idp-gate.wasm
	@scripts/build-wasm.sh

# IMAGE=registry/path:tag writes the image's name into the manifests too.
.PHONY: oci
oci: wasm ## the module as an OCI image in target/oci, without Docker, and its digest in the manifests
	@scripts/oci.sh $(GATE_WASM)

.PHONY: dist
dist: ## the files of a release in target/dist: module, static binary, bills of materials, checksums
	@scripts/dist.sh

.PHONY: check
check: lint docs-check check-alerts deny check-wasm ## formatting, lints, generated docs, alerts, dependencies, the wasm's imports and size

.PHONY: lint
lint: ## formatting and lints, with warnings as errors
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets --features e2e -- -D warnings
	@scripts/clippy-wasm.sh
	$(CARGO) fmt --check --manifest-path tests/bench/nothing/Cargo.toml
	$(CARGO) clippy --locked --all-targets --manifest-path tests/bench/nothing/Cargo.toml --target-dir target -- -D warnings
	$(CARGO) fmt --check --manifest-path scripts/branch-hints/Cargo.toml
	$(CARGO) clippy --locked --all-targets --manifest-path scripts/branch-hints/Cargo.toml --target-dir target/branch-hints -- -D warnings
	$(CARGO) fmt --check --manifest-path fuzz/Cargo.toml
	$(CARGO) clippy --locked --all-targets --manifest-path fuzz/Cargo.toml --target-dir target -- -D warnings
	@scripts/shellcheck.sh

.PHONY: deny
deny: ## licences, sources and known vulnerabilities of the dependencies
	@scripts/cargo-deny.sh

.PHONY: check-wasm
check-wasm: wasm ## the wasm's imports and size
	@scripts/check-wasm.sh $(GATE_WASM)

.PHONY: docs
docs: ## write the generated reference pages
	$(CARGO) run --locked --quiet --bin n8n-idp-gate -- docs --write

.PHONY: docs-check
docs-check: ## are the generated reference pages up to date?
	$(CARGO) run --locked --quiet --bin n8n-idp-gate -- docs --check

.PHONY: check-alerts
check-alerts: ## the unit tests of the alert rules, and the queries of the dashboard, by Prometheus' promtool
	@scripts/check-alerts.sh

.PHONY: test-fast
test-fast: ## unit and integration tests that need no server
	$(CARGO) test --locked --lib --bins --tests
	$(CARGO) test --locked --doc
	$(CARGO) test --locked --manifest-path scripts/branch-hints/Cargo.toml --target-dir target/branch-hints

.PHONY: policy-test
policy-test: ## the tests of the shipped configurations
	$(CARGO) run --locked --quiet --bin n8n-idp-gate -- test --require-coverage deploy/policy-tests/*.yaml

.PHONY: nextest
nextest: ## the same with a time limit for each test (compiles cargo-nextest first, some 10 minutes)
	@scripts/nextest.sh

.PHONY: fuzz-smoke
fuzz-smoke: ## every fuzz target on its seeds and mutations of them (half a minute)
	$(CARGO) test --locked --manifest-path fuzz/Cargo.toml --target-dir target --test smoke

# FUZZ_TARGET=token chooses one target, FUZZ_SECONDS=600 how long each one runs.
.PHONY: fuzz
fuzz: ## fuzz each target for a minute, guided by coverage
	@scripts/fuzz.sh

.PHONY: test-e2e
test-e2e: wasm envoy provider keycloak lemonldap spring hydra crane crds charts observers callers ## a real Envoy, scripted upstreams and real OpenID providers
	@scripts/build-wasm.sh host-crypto
	@scripts/build-wasm.sh neighbour
	@# Some tests hold thousands of connections.
	ulimit -Sn $$(ulimit -Hn) && $(CARGO) test --locked --features e2e --example bench --test deploy --test cost --test e2e_scripted --test e2e_provider --test e2e_keycloak --test e2e_lemonldap --test e2e_spring --test e2e_hydra -- --test-threads=2

.PHONY: test-n8n
test-n8n: wasm envoy provider n8n clients chromium ## a real Envoy in front of a real n8n
	$(CARGO) test --locked --features e2e --test e2e_n8n -- --test-threads=1

# What needs no keys that the gate makes: n8n 1 does not allow them.
.PHONY: test-n8n-1
test-n8n-1: wasm envoy provider n8n-1 ## the same in front of the newest n8n 1, with fewer tests
	N8N_DIR=$(N8N_1_DIR) $(CARGO) test --locked --features e2e --test e2e_n8n -- --test-threads=1 \
	  caller::a_cookie_alone caller::a_guarded_webhook caller::a_refusal_holds caller::an_open_webhook \
	  lines:: routing:: the_table_of_operations

.PHONY: test
test: test-preflight ## everything, as continuous integration runs it
	@scripts/totals.sh $(MAKE) test-all

.PHONY: test-preflight
test-preflight:
	@scripts/preflight.sh test

.PHONY: test-all
test-all:
	@scripts/meanwhile.sh scripts/install-hydra.sh -- scripts/meanwhile.sh scripts/install-crds.sh -- scripts/meanwhile.sh scripts/install-charts.sh -- $(MAKE) test-layers

.PHONY: test-layers
test-layers:
	@$(MAKE) lint docs-check check-alerts test-fast fuzz-smoke
	@$(MAKE) check-wasm reproducible test-e2e
	@$(MAKE) deny test-n8n

.PHONY: msrv
msrv: ## does the oldest Rust that Cargo.toml names compile it?
	@scripts/msrv.sh

.PHONY: coverage
coverage: ## line coverage of the fast tests, file by file
	@scripts/coverage.sh

# MUTANTS_FILE=src/token/times.rs looks at one file.
.PHONY: mutants
mutants: ## changes of the deciding code that no unit test notices (hours; a file takes minutes)
	@scripts/mutants.sh

.PHONY: reproducible
reproducible: ## is a second build of the module, at another path, the same?
	@scripts/reproducible.sh

# The demo takes the place of the shell, so that Ctrl-C and its status are the demo's own. Two demos
# on one n8n database would spoil it: the lock is held until the last server has ended.
.PHONY: demo
demo: demo-preflight wasm envoy provider n8n ## n8n behind the filter on this machine, to try by hand
	@exec 9>.local/lock/demo; \
	flock -n 9 || { echo 'error: another demo runs in this directory' >&2; exit 1; }; \
	exec $(CARGO) run --locked --features e2e --example demo

.PHONY: demo-keys
demo-keys: ## in a second terminal: the API keys in the demo's n8n, as the gate makes and deletes them
	@exec $(CARGO) run --quiet --locked --features e2e --example demo -- keys

.PHONY: demo-preflight
demo-preflight:
	@scripts/preflight.sh demo

# BENCH_ROUNDS and BENCH_SECONDS shorten it; BENCH_ONLY=repeated,flood measures what is so named.
.PHONY: bench
bench: bench-preflight wasm envoy n8n ## measure the gate beside Envoy's own filters (about 20 minutes, two quiet cores)
	@scripts/build-bench-wasm.sh
	@scripts/install-wrk.sh >/dev/null
	@scripts/install-h2load.sh >/dev/null
	@scripts/install-peers.sh >/dev/null
	@# Its report has the counts, whether they are as pinned or not.
	-@$(MAKE) counts
	$(CARGO) run --locked --quiet --features e2e --example bench

.PHONY: bench-preflight
bench-preflight:
	@scripts/preflight.sh bench

# UPDATE_COUNTS=1 writes the figures. COUNTS=forged counts only what is so named, and only natively.
# Below target/counts/callgrind is a file for callgrind_annotate.
.PHONY: counts
counts: ## instructions and allocations of a request: are they as pinned? (needs valgrind)
ifndef COUNTS
	@$(MAKE) wasm >/dev/null
	$(CARGO) test --locked --quiet --features e2e --test cost pinned -- --nocapture
endif
	$(CARGO) build --locked --quiet --profile counts --features e2e --bin counts
	target/counts/counts $(COUNTS)

.PHONY: preflight
preflight: ## does this machine have what the rest needs?
	@scripts/preflight.sh

.PHONY: envoy provider keycloak lemonldap spring hydra crane crds charts n8n n8n-1 clients callers chromium observers
envoy: ## install Envoy below .local
	@scripts/install-envoy.sh
provider: ## install the OpenID provider of the tests below .local
	@scripts/install-provider.sh
keycloak: ## install Keycloak below .local
	@scripts/install-keycloak.sh
lemonldap: ## install LemonLDAP::NG below .local
	@scripts/install-lemonldap.sh
spring: ## install Spring Authorization Server below .local
	@scripts/install-spring.sh
hydra: ## compile Ory Hydra below .local
	@scripts/install-hydra.sh
crane: ## compile crane, a registry and its client, below .local
	@scripts/install-crane.sh
crds: ## install the definitions of Istio, Gateway API and Envoy Gateway below .local
	@scripts/install-crds.sh
charts: ## install the charts of Istio and Envoy Gateway, and what writes their objects, below .local
	@scripts/install-charts.sh
n8n: ## install n8n below .local
	@scripts/install-n8n.sh
n8n-1: ## install an n8n 1 below .local
	@scripts/install-n8n.sh 1
clients: ## install clients of n8n and MCP below .local, for the tests
	@scripts/install-clients.sh
callers: ## install the libraries of the examples for callers below .local
	@scripts/install-callers.sh

observers: ## install rsyslog and Prometheus below .local
	@scripts/install-observers.sh
chromium: ## install Chromium below .local
	@scripts/install-chromium.sh

.PHONY: clean
clean: ## delete what was built
	rm -rf target

.PHONY: distclean
distclean: clean ## delete what was built and installed
	rm -rf .local
