// Command esgen turns one YAML file into an event-sourced service.
package main

import (
	"os"

	"github.com/esgen/esgen/esgen/internal/cli"
)

func main() { os.Exit(cli.Main()) }
