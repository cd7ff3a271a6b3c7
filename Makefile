SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.NOTPARALLEL:
.DEFAULT_GOAL := help

GO ?= go
FUZZTIME ?= 5s
BENCHTIME ?= 1s
FAULT_ROUNDS ?= 50
CROWD ?= 10000
DEMO_FLAGS ?=

# Empty where git, its folder or a commit is missing; the program then calls itself what its source says.
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null)
LDFLAGS := $(if $(VERSION),-X main.version=$(VERSION))
TOOL := $(GO) tool -modfile=tools/go.mod

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z][a-z-]*:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

.PHONY: build
build: setup-build ## Build bin/stillcast
	$(GO) build -trimpath $(if $(VERSION),,-buildvcs=false) -ldflags '$(LDFLAGS)' -o bin/stillcast ./cmd/stillcast

.PHONY: demo
demo: setup-demo build ## Push three streams, receive their pictures as signed events, check each (DEMO_FLAGS=--forever)
	bin/stillcast demo $(DEMO_FLAGS)

.PHONY: test
test: setup-test fmt-check tidy-check lint test-race test-asan fuzz ## Everything that must pass before a change is taken

.PHONY: lint
lint: setup-test ## Linters, layer rules, shell scripts, dead code (first run compiles the linter: minutes)
	$(TOOL) golangci-lint run ./...
	shellcheck scripts/*.sh .ci/run
	scripts/deadcode.sh

.PHONY: test-race
test-race: setup-test ## All tests with the race detector
	$(GO) test -race -timeout 15m ./...

.PHONY: test-faults
test-faults: setup-test ## kill -9, power cuts, full disks, stores in trouble, FAULT_ROUNDS (50) times each, and all other faults: ten minutes
	STILLCAST_FAULT_ROUNDS=$(FAULT_ROUNDS) $(GO) test -count=1 -timeout 3h -v ./internal/faulttest
	$(GO) test -count=1 -timeout 30m ./internal/testkit/lossfs ./internal/state/sqlite ./internal/spool ./internal/notify ./internal/capture \
		./internal/objstore/... ./internal/app ./cmd/stillcast

.PHONY: test-crowd
test-crowd: setup-test ## CROWD (10000) connections that never publish, or as many as the limit of open files allows
	@# The test holds both ends of each connection.
	@n=$(CROWD); wanted=$$((2 * n + 200)); files=$$(ulimit -Hn); \
	if [[ $$files != unlimited ]] && ((files < wanted)) && ! ulimit -n "$$wanted" 2>/dev/null; then \
		n=$$(((files - 200) / 2)); echo "The limit of $$files open files allows $$n connections, not $(CROWD)."; \
	fi; \
	echo "$$n connections that never publish:"; \
	STILLCAST_RTMP_CROWD=$$n $(GO) test -count=1 -timeout 10m -v -run '^TestCrowdThatNeverPublishes$$' ./internal/ingest/rtmp

.PHONY: test-asan
test-asan: setup-test ## The C code's tests with the address and leak sanitizer
	$(GO) test -asan -timeout 10m ./internal/codec/...

.PHONY: fuzz
fuzz: setup-test ## Each fuzz target for FUZZTIME (5s)
	FUZZTIME=$(FUZZTIME) scripts/fuzz.sh

.PHONY: fuzz-long
fuzz-long: setup-test ## 100,000 damaged key frames through the decoders: half an hour and more
	STILLCAST_HOSTILE_SHOTS=100000 $(GO) test -count=1 -timeout 5h -v -run TestHostileKeyFrames ./internal/codec/av

.PHONY: bench
bench: setup-test ## All benchmarks, BENCHTIME (1s) each
	$(GO) test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) ./...

.PHONY: bench-wall
bench-wall: setup-test ## 500 simulated streams on the console's wall in Chromium for ten minutes: times, processor, memory
	STILLCAST_WALL_LOAD=10m $(GO) test -count=1 -timeout 20m -v -run TestWallLoad ./internal/console

.PHONY: screenshots
screenshots: setup-test ## Take the pictures of docs/console.md anew, of a platform with fifteen streams: five minutes
	STILLCAST_SCREENSHOTS=$(CURDIR)/docs/images $(GO) test -count=1 -timeout 15m -v -run '^TestScreenshots$$' ./internal/console/browser

.PHONY: bench-peers
bench-peers: ## Build other people's RTMP servers to compare with (bin/peer-…), for bench ingest --vs
	cd internal/bench/peers && for peer in gortmplib lal; do $(GO) build -trimpath -o ../../../bin/peer-$$peer ./$$peer; done

.PHONY: fmt
fmt: ## Format and repair what the linters can repair by themselves
	$(TOOL) golangci-lint fmt ./...
	$(TOOL) golangci-lint run --fix ./...

.PHONY: fmt-check
fmt-check: ## Fail if a file is not gofmt'ed
	@files=$$(gofmt -l .); if [[ -n $$files ]]; then echo "not formatted (run make fmt):"; echo "$$files"; exit 1; fi

.PHONY: tidy-check
tidy-check: ## Fail if go.mod or tools/go.mod is not tidy
	$(GO) mod tidy -diff
	cd tools && $(GO) mod tidy -diff
	cd internal/bench/peers && $(GO) mod tidy -diff

.PHONY: clean
clean: ## Remove what was built
	rm -rf bin

.PHONY: setup-build
setup-build: ## Install what building needs, if it is missing
	@scripts/setup.sh build

.PHONY: setup-demo
setup-demo: ## Install what the demo needs, if it is missing
	@scripts/setup.sh demo

.PHONY: setup-test
setup-test: ## Install what the tests need, if it is missing
	@scripts/setup.sh test
