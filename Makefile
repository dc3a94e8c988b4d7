# Owns: the commands of the project. Each checks first that its programs are there (deploy/dev/prerequisites).
.DEFAULT_GOAL := help
.PHONY: help run test check fix house format lint docs licences chart fuzz bench-decode bench-pages

# Distributions keep newer Go releases outside the path.
export PATH := $(PATH):$(lastword $(sort $(wildcard /usr/lib/go-1.*/bin)))

# Scripts leave nothing behind beside their sources.
export PYTHONDONTWRITEBYTECODE := 1

prerequisites := deploy/dev/prerequisites
step := deploy/dev/step

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

bench-decode: ## how many records a second a core decodes and counts: a million, stage by stage, and through both buses
	@$(prerequisites) rust build python
	@deploy/dev/services run -- cargo bench --locked -p gramtap-analytics --bench decode

bench-pages: ## how long a bot's pages take with ten million events counted, on SQLite and on Postgres (fills both first)
	@$(prerequisites) rust build python
	@deploy/dev/services run -- cargo bench --locked -p gramtap-analytics --bench pages
