# The tasks of CONTRIBUTING.md. 'make' lists them; IT, ARGS and VERSION are given as in the examples.
MVN ?= ./mvnw
IMAGE ?= postgres-endpoint-manager
REVISION = $(shell git rev-parse HEAD)
VERSION ?= $(shell sed -n 's|^  <version>\(.*\)</version>$$|\1|p' pom.xml)
ENGINE ?= $(firstword $(foreach engine,docker podman buildah,$(if $(shell command -v $(engine)),$(engine))))

.DEFAULT_GOAL := help
.PHONY: help build test verify it demo soak simulation bench hawtio format lint image ci release

help: ## List the tasks
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 12

build: ## Build the folder that users run
	$(MVN) -q package -DskipTests -Dbuild.revision=$(REVISION)

test: ## Run the quick tests: make test, make test T=SettingsReaderTest
	$(MVN) test $(if $(T),-Dtest=$(T))

verify: ## Run the tests, but for the long ones: make verify ARGS=-Pall runs every test
	$(MVN) verify $(ARGS)

it: ## Run test classes that start servers: make it IT=OnceIT,StateIT
	@test -n "$(IT)" || { echo 'Name a class: make it IT=OnceIT' >&2; exit 2; }
	$(MVN) verify -Dtest=NONE -Dsurefire.failIfNoSpecifiedTests=false -Dit.test=$(IT) $(ARGS)

demo: ## Show failovers and a split brain on a real cluster
	$(MVN) -q -Pdemo $(ARGS)

soak: ## Run thousands of cycles under random faults: make soak ARGS=-Dsoak.cycles=300
	$(MVN) -q -Psoak $(ARGS)

simulation: ## Play the decision against a model: make simulation ARGS=-Dsimulation.steps=1000000
	$(MVN) -q -Psimulation $(ARGS)

bench: build ## Measure the packaged program: make bench ARGS=-Dbench.quick
	$(MVN) -q -Pbench $(ARGS)

hawtio: ## Open the routes in Hawtio, in Chromium
	$(MVN) -q -Phawtio

format: ## Format Java, POM and text files
	$(MVN) -q spotless:apply

lint: ## Check formats, shell scripts and, with Error Prone, the program
	.ci/lint

image: build ## Build the container image with docker, podman or buildah
	$(ENGINE) build -t $(IMAGE):$(VERSION) --build-arg VERSION=$(VERSION) --build-arg REVISION=$(REVISION) .

ci: ## Run all that continuous integration runs
	.ci/run

release: ## Make a release: make release VERSION=0.1.0 tries it, ARGS=--commit makes it
	tools/release $(ARGS) $(VERSION)
