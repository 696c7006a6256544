GO ?= go
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
# A number of inputs, not a time: go test -fuzz sometimes fails at its own deadline.
FUZZTIME ?= 3000x
SEEDS ?= 1000
# Services of users are modules of their own, and so are their CDK apps and the programs we compare with.
MODULES = . example-service example-service/infra
# The CDK says at every turn what it thinks of the version of Node.
export JSII_DEPRECATED = quiet
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION = 18,20,21,23
export JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION = 1

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "%-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: bin/esgen ## build bin/esgen
bin/esgen: FORCE
	@$(GO) build -o bin/esgen ./esgen

demo: bin/esgen ## make a new service in a scratch folder, run it, post events, show the views
	@$(GO) run ./testdata/demo bin/esgen

test: lint fuzz ## run all tests; says what could not be run, and why
	@testdata/install.sh
	@set -o pipefail; for m in $(MODULES); do (cd $$m && $(GO) test -json -timeout 75m ./... || true); done | $(GO) run .ci/report.go

lint: ## gofmt, vet, staticcheck
	@unformatted=$$(git ls-files '*.go' | xargs gofmt -l); if [ -n "$$unformatted" ]; then echo "not gofmt clean; run gofmt -w on:"; echo "$$unformatted"; exit 1; fi
	@for m in $(MODULES); do echo "vet, staticcheck: $$m"; (cd $$m && $(GO) build -o /dev/null ./... && $(GO) vet ./... && $(GO) run $(STATICCHECK) ./...) || exit 1; done
	@cd bench && $(GO) vet ./... # what it compares with is not ours to test; that it builds is

fuzz: ## run every fuzz target for FUZZTIME inputs
	@testdata/fuzz.sh $(FUZZTIME)

simulate: ## SEEDS seeded worlds with every fault; a tenth as many of each generated service, a fiftieth on DynamoDB Local
	@$(GO) test ./runtime/simulation -run 'TestLedger$$' -count=1 -v -timeout 0 -simulation.seeds=$(SEEDS)
	@$(GO) test ./esgen -run 'TestExampleServiceSimulated$$|TestServices$$' -count=1 -v -timeout 0 -simulation.seeds=$$((($(SEEDS)+9)/10))
	@set -o pipefail; n=$$((($(SEEDS)+49)/50)); SEEDS=$$n $(GO) test -json -count=1 -timeout 0 ./runtime -run FoldOfTheHistory -parallel 8 -rapid.checks=$$n | $(GO) run .ci/report.go

planted: ## plant mistakes in the code, one at a time; the seeds until the simulation finds each
	@$(GO) test ./runtime/simulation -run 'TestPlantedMistakesAreFound$$' -count=1 -v -timeout 0

kill: ## 1,000 SIGKILLs of the embedded store under load, then hundreds of servers and functions; a minute or more for each hundred
	@ESGEN_KILL_ROUNDS=1000 $(GO) test ./runtime/bolt -run 'TestKill$$' -v -count=1 -timeout 0
	@ESGEN_KILL_EVENTS=100 $(GO) test ./esgen -run 'Test(Standing)?Processes$$' -v -count=1 -timeout 0

bench: ## the performance goals as ratios within one run
	@cd bench && $(GO) run .

regenerate: bin/esgen ## bring example-service up to date
	@bin/esgen regenerate example-service

.PHONY: help build demo test lint fuzz simulate planted kill bench regenerate FORCE
FORCE:
SHELL = /bin/bash
