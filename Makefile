# Owns: the commands of the project. Each checks first that its programs are there (deploy/dev/prerequisites).
.DEFAULT_GOAL := help
.PHONY: help run test check fix house format lint docs licences chart fuzz bench-decode bench-pages bench-inbox bench bench-quick soak

# Distributions keep newer Go releases outside the path.
export PATH := $(PATH):$(lastword $(sort $(wildcard /usr/lib/go-1.*/bin)))

# Scripts leave nothing behind beside their sources.
export PYTHONDONTWRITEBYTECODE := 1

prerequisites := deploy/dev/prerequisites
step := deploy/dev/step

# Measured is what is released. Kafka shares the core of the load (see tests/bench/src/site.rs).
bench = cargo build --locked --release -p gramtap-ingress -p gramtap-forwarder -p gramtap-bench && \
	deploy/dev/services run -- cargo run --quiet --locked --release -p gramtap-bench --

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## build and start Gramtap: a bot may call http://127.0.0.1:8080 instead of Telegram
	@$(prerequisites) rust build
	cargo run -p gramtap -- up

test: ## start Kafka, Redis and Postgres, run all tests, end what was started
	@$(prerequisites) rust build python clients browser kcat
	@# The integration tests run the binaries too; --all-targets builds these and all tests with one set of features.
	@$(step) build cargo build --locked --workspace --all-targets
	@$(step) clickhouse tests/clickhouse/check
	@$(step) tests deploy/dev/services run -- cargo test --locked --workspace --no-fail-fast

check: ## all checks that need no services: house rules, format, lints, docs, licences, chart, fuzzing
	@$(prerequisites) rust lint build python
	@$(step) house $(MAKE) --no-print-directory house
	@$(step) format $(MAKE) --no-print-directory format
	@$(step) lint $(MAKE) --no-print-directory lint
	@$(step) docs $(MAKE) --no-print-directory docs
	@$(step) licences $(MAKE) --no-print-directory licences
	@$(step) chart $(MAKE) --no-print-directory chart
	@$(step) fuzz $(MAKE) --no-print-directory fuzz

fix: ## format the code and apply what clippy can mend
	cargo clippy --workspace --all-targets --fix --allow-dirty --allow-staged
	cargo fmt --all

house: ## the house rules (tests/house), and that each of them can fail
	@python3 tests/house/check
	@python3 -m unittest discover --quiet --start-directory tests/house

format: ## formatting, changing nothing
	@cargo fmt --all --check

lint: ## clippy over everything, warnings denied
	@cargo clippy --locked --workspace --all-targets -- -D warnings

docs: ## the documentation of our crates, warnings denied
	@RUSTDOCFLAGS='-D warnings' cargo doc --locked --workspace --no-deps

licences: ## cargo deny, where it is installed (the house rules check licences and bans everywhere)
	@if cargo deny --version >/dev/null 2>&1; then cargo deny --locked check licenses bans sources; \
	else echo 'cargo-deny is not installed: licences and bans were checked by the house rules'; fi

chart: ## the Helm chart
	@if [ ! -f k8s/gramtap/Chart.yaml ]; then echo 'there is no chart yet'; \
	else helm lint --strict k8s/gramtap; fi

fuzz: ## fuzz the parser of answers for a minute, where cargo-fuzz is installed
	@deploy/dev/fuzz 60

# How much of it: `make bench BENCH='--rounds 2 --seconds 2'`; `gramtap-bench --help` has all of it.
BENCH ?=

bench: ## Gramtap beside nginx and haproxy: CPU, latency, memory, as ratios; into tests/bench/RESULTS.md (long; BENCH='--rounds 2' is shorter)
	@$(prerequisites) rust build python bench
	@# The measure `decode` runs it; nothing is to be built while something is measured.
	@cargo bench --locked --no-run -p gramtap-analytics --bench decode
	@$(bench) --results tests/bench/RESULTS.md $(BENCH)

bench-quick: ## the same in three minutes, for nginx alone, printed only
	@$(prerequisites) rust build python bench
	@$(bench) --rounds 3 --seconds 1.5 --upstreams plain --subjects direct,nginx,gramtap,gramtap-off \
		--measures send,large,upload,unloaded,loaded,parked

bench-decode: ## how many records a second a core decodes and counts: a million, stage by stage, and through both buses
	@$(prerequisites) rust build python
	@deploy/dev/services run -- cargo bench --locked -p gramtap-analytics --bench decode

bench-pages: ## how long a bot's pages take with ten million events counted, on SQLite and on Postgres (fills both first)
	@$(prerequisites) rust build python
	@deploy/dev/services run -- cargo bench --locked -p gramtap-analytics --bench pages

bench-inbox: ## how long a pushed update takes until Telegram is answered 200 and until it is at its bot, and how many a second are taken in
	@$(prerequisites) rust build python
	@$(bench) --measures inbox --rounds 1 --seconds 10 --rates 1000,2000,3000,4000,5000,6000

soak: ## ten minutes of updates by webhook to a thousand bots, while forwarders are killed, endpoints sleep and Kafka restarts
	@$(prerequisites) rust build python
	@$(step) build cargo build --locked --workspace --all-targets
	@GRAMTAP_SOAK=10m deploy/dev/services run -- cargo test --locked --workspace --test it -- chaos --nocapture
