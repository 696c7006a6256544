package main

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
)

// TestStandingProcesses: what TestProcesses does, through the gateway of the template that a service synthesizes. All
// functions are killed in the middle of their invocations, each with all its processes at once.
func TestStandingProcesses(t *testing.T) {
	needsCDK(t)
	dir, outbox := makeReporting(t), filepath.Join(t.TempDir(), "outbox")
	writeText(t, filepath.Join(dir, "infra", "own.go"), fmt.Sprintf("package main\n\nimport \"github.com/aws/jsii-runtime-go\"\n\n"+
		"func own(s *ServiceStack) {\n\ts.Consumers.Reporter.Function.AddEnvironment(jsii.String(\"OUTBOX\"), jsii.String(%q), nil)\n}\n", outbox))
	stand := standUp(t, dir, nil)
	var victims []victim
	for _, function := range []string{"command", "query", "projector", "consumer-reporter"} {
		victims = append(victims, victim{function, func() (int, error) { return stand.Kill(function) }})
	}
	c := newCrowd(t, 50, true, func(*rand.Rand) string { return stand.URL })
	kills := c.run(t, victims)
	// A process that is killed fails one invocation. The gateway has nothing else to say for itself.
	if n := c.tally["POST 500 of the gateway"] + c.tally["GET 500 of the gateway"]; n > kills["command"]+kills["query"] {
		t.Errorf("the gateway answered %d times for functions that failed, and %d processes were killed", n, kills["command"]+kills["query"])
	}
	histories := c.judge(t, stand.URL)
	checkOutbox(t, outbox, histories)
	for function, mappings := range stand.Mappings {
		for _, m := range mappings {
			if s := m.Stats(); s.GivenUp > 0 {
				t.Errorf("%d records were given up before %s took them", s.GivenUp, function)
			}
		}
	}
	for _, denied := range stand.Denied() {
		t.Errorf("a function asked for what its role does not allow: %+v", denied)
	}
}
