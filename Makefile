# make run and make test do all the set-up themselves on a bare Debian 12 with Go, Node and root.
# The work is done by scripts/; this file only names it.

export GOFLAGS ?= -buildvcs=false
MAKEFLAGS += --no-print-directory
export MAKE_TARGET = $(firstword $(MAKECMDGOALS))

.PHONY: help
help: ## what can be made
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /\1\t/' | expand -t 16

# ---- using it

.PHONY: run demo build setup
run: build ## the service with its demo: control plane, gateway, simulators, a LAN behind the gateway
	@exec build/skybridge serve --demo --data ./data

demo: build ## walk the whole path once, from registration to 100 MB through the tunnel
	@exec scripts/demo.sh

setup: ## install what is missing to build and run
	@scripts/setup.sh run

build: setup ## the console and the binaries, into build/
	@scripts/build.sh

.PHONY: console
console: setup ## the console alone, into internal/web/console/dist
	@scripts/console.sh

# ---- testing it

.PHONY: test check test-long bench bench-privacy test-static test-unit test-fault test-console test-netns test-e2e test-demo screenshots
test: ## everything that must pass: about 20 minutes on 2 cores
	@scripts/test.sh all

check: ## the quick part: static checks and tests on SQLite and PostgreSQL, without the race detector
	@scripts/test.sh static quick

test-static: ## format, vet, lint, tidy, generated files
	@scripts/test.sh static
test-unit: ## Go tests with the race detector, on SQLite and PostgreSQL
	@scripts/test.sh unit
test-fault: ## power cuts at named points, in a build that allows them
	@scripts/test.sh fault
test-console: ## the console's types, lint, tests and build
	@scripts/test.sh console
test-netns: ## stock openconnect against the gateway, in network namespaces (root)
	@scripts/test.sh netns
test-e2e: ## the whole path in a browser (root)
	@scripts/test.sh e2e
screenshots: ## every page and window in all eight looks, into build/screenshots/ (root)
	@E2E_LOOKS=all scripts/test.sh e2e
	@E2E_LOOKS=all go test -count=1 -run TestEveryScreen ./internal/client/window
test-demo: ## the headless demo on SQLite and on PostgreSQL (root)
	@scripts/test.sh demo
test-long: ## what takes longer: ten minutes of fuzzing for each decoder (FUZZTIME), mutants of the clauses, many rounds of the random histories
	@scripts/test.sh long
bench: build ## throughput beside ocserv and what privacy costs, into build/bench/ (root)
	@scripts/setup.sh test
	@scripts/bench-privacy.sh
	@exec scripts/bench.sh
bench-privacy: ## the privacy part of it alone
	@exec scripts/bench-privacy.sh

# ---- changing it

.PHONY: lint format tidy generate openapi clean vulncheck
lint: ## golangci-lint alone
	@scripts/tools.sh
	@build/bin/golangci-lint run ./...

format: setup ## format Go and the console's sources
	@scripts/tools.sh
	@build/bin/golangci-lint fmt
	@cd console && npm run --silent format

tidy: ## go mod tidy
	@go mod tidy

generate: setup ## generated files: go generate, console/openapi.json, the console's types
	@scripts/generate.sh

openapi: ## console/openapi.json from the API of this tree
	@scripts/generate.sh openapi

vulncheck: ## known vulnerabilities in the dependencies; asks the public database
	@go run golang.org/x/vuln/cmd/govulncheck@v1.1.4 ./...

clean: ## remove what was built; keeps ./data
	@rm -rf build console/node_modules
	@find internal/web/console/dist -mindepth 1 ! -name .keep -delete
