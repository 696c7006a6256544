package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/esgen/esgen/esgen/internal/up"
)

// TestStandingProcesses: what TestProcesses does, through the gateway of the template that a service synthesizes, with
// two consumers, which a relay serves through queues, and a reconcile that goes on all the time. All functions are killed
// in the middle of their invocations, each with all its processes at once.
func TestStandingProcesses(t *testing.T) {
	needsCDK(t)
	consumers := []string{"reporter", "archivist"}
	dir, outbox := makeReporting(t, consumers...), t.TempDir()
	own := ""
	for _, name := range consumers {
		own += fmt.Sprintf("\ts.Consumers.%s.Function.AddEnvironment(jsii.String(\"OUTBOX\"), jsii.String(%q), nil)\n",
			strings.ToUpper(name[:1])+name[1:], filepath.Join(outbox, name))
	}
	writeText(t, filepath.Join(dir, "infra", "own.go"), "package main\n\nimport \"github.com/aws/jsii-runtime-go\"\n\nfunc own(s *ServiceStack) {\n"+own+"}\n")
	stand := standUp(t, dir, nil)
	var victims []victim
	for _, function := range []string{"command", "query", "projector", "reconcile", "relay"} {
		victims = append(victims, victim{function, func() (int, error) { return stand.Kill(function) }})
	}
	for _, name := range consumers {
		victims = append(victims, killedAtQueue(stand, name))
	}
	c := newCrowd(t, 40, true, func(*rand.Rand) string { return stand.URL })
	stop := reconcileMeanwhile(t, stand)
	kills := c.run(t, victims)
	stop()
	// A process that is killed fails one invocation. The gateway has nothing else to say for itself.
	if n := c.tally["POST 500 of the gateway"] + c.tally["GET 500 of the gateway"]; n > kills["command"]+kills["query"] {
		t.Errorf("the gateway answered %d times for functions that failed, and %d processes were killed", n, kills["command"]+kills["query"])
	}
	histories := c.judge(t, stand.URL)
	for _, name := range consumers {
		checkOutbox(t, filepath.Join(outbox, name), histories)
	}
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

// reconcileMeanwhile has the function that a schedule invokes run again and again, beside the projector.
func reconcileMeanwhile(t *testing.T, stand *up.Stand) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	runs, whole := 0, 0
	var running sync.WaitGroup
	running.Go(func() {
		for ; ctx.Err() == nil; runs++ {
			if result, err := stand.Invoke(ctx, "reconcile", []byte("{}")); err == nil && result.FunctionError == "" {
				whole++
			}
			time.Sleep(100 * time.Millisecond) // the others want the processor, too
		}
	})
	return func() {
		cancel()
		running.Wait()
		t.Logf("reconcile was run %d times, %d times to its end", runs, whole)
	}
}

// killedAtQueue kills a consumer. What it had in work would come again after six minutes, and does at once.
func killedAtQueue(stand *up.Stand, name string) victim {
	function := "consumer-" + name
	return victim{function, func() (int, error) {
		n, err := stand.Kill(function)
		for _, q := range stand.Queues.All() {
			if strings.Contains(strings.ToLower(q.Name()), name) {
				q.ReturnInFlight()
			}
		}
		return n, err
	}}
}
