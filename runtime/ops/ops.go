// Package ops is the operations program of a service, cmd/ops.
package ops

import (
	"fmt"
	"os"

	es "github.com/esgen/esgen/runtime"
)

// Main runs the operations command of a service and ends the process.
func Main(m *es.Model) {
	fmt.Fprintln(os.Stderr, "ops: this build has no operations yet")
	os.Exit(2)
}
