# The targets people type. Each is one script of scripts/, which can be run as well from anywhere.

.PHONY: help setup demo build test check check-deep bench install uninstall package clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install the Debian packages that are missing
	@scripts/setup.sh

demo: ## Build, start a server, run php/examples/quickstart.php, stop (first time about 2 min)
	@scripts/demo.sh

build: ## Build the server and the extension for Debian's PHP (release)
	@scripts/setup.sh demo
	@scripts/build-server.sh
	@scripts/build-ext.sh nts

test: ## Everything: lints, crate tests, phpt on NTS and ZTS, Apache load (at most 45 min the first time, 30 later)
	@scripts/test.sh

check: ## Formatting, clippy and the shell scripts; no tests
	@scripts/check.sh fmt
	@scripts/check.sh shell
	@scripts/check.sh clippy
	@scripts/check.sh clippy-ext nts

check-deep: ## Every checker at full length, with a table of figures (two hours, and the PHPs to build once)
	@scripts/check-deep.sh

bench: ## Measure against Redis, memcached, r2d2 and raw sockets; writes docs/benchmarks.md (15 min)
	@scripts/bench.sh

install: ## Build and install into Debian's PHP 8.2, enabled for all its SAPIs (as root; DESTDIR works)
	@scripts/install.sh install

uninstall: ## Remove what `make install` installed (as root)
	@scripts/install.sh uninstall

package: ## The archives for PIE and the .deb, into dist/
	@scripts/package.sh all

clean: ## Remove what was built here (the cached ZTS PHP stays)
	cargo clean
