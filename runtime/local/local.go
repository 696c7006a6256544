package local

import (
	"fmt"
	"os"

	es "github.com/esgen/esgen/runtime"
)

// Main runs the local program of a service and ends the process.
func Main(m *es.Model) {
	fmt.Fprintln(os.Stderr, "local: this build has no server yet")
	os.Exit(2)
}
