package ops

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/dynamo"
	"github.com/esgen/esgen/runtime/local"
)

// EnvUndelivered tells status what streams and queues have given up: an [Undelivered] in JSON.
// It is not in the tables, so who calls the program counts it.
const EnvUndelivered = "ESGEN_UNDELIVERED"

// deployed works on the tables of a stack, beside its own functions.
type deployed struct {
	model       *es.Model
	stack       string
	undelivered *Undelivered
	projector   *es.Projector
}

func newDeployed(m *es.Model, layouts []dynamo.ViewTable, stack string, getenv func(string) string, log *slog.Logger) (*deployed, error) {
	options, err := dynamo.FromEnvironment(getenv)
	if err == nil {
		err = options.ReadTables(getenv, layouts)
	}
	if err != nil {
		return nil, fmt.Errorf("the environment does not name the tables of the stack %s: %w; esgen status --stack %s sets it", stack, err, stack)
	}
	options.AttemptTimeout = 10 * time.Second
	options.Attempts = 8 // nobody waits for an answer within the second
	store, err := dynamo.New(options)
	if err != nil {
		return nil, err
	}
	d := &deployed{model: m, stack: stack}
	if text := getenv(EnvUndelivered); text != "" {
		d.undelivered = &Undelivered{}
		if err := json.Unmarshal([]byte(text), d.undelivered); err != nil {
			return nil, fmt.Errorf("%s: %w", EnvUndelivered, err)
		}
	}
	// An entity that this program cannot fold either is tried again by the stack's own
	// projector, whose deployment has another name.
	d.projector = es.NewProjector(m, store.Stores(), es.ProjectorOptions{Deployment: "ops", Logger: log})
	return d, nil
}

func (d *deployed) Status(ctx context.Context) (Status, error) {
	s := Status{Stack: d.stack, Undelivered: d.undelivered}
	s.Service = d.model.Service
	var err error
	s.Views, err = d.projector.Status(ctx)
	return s, err
}

func (d *deployed) Quarantine(ctx context.Context, view string) (local.Quarantine, error) {
	return local.ListQuarantine(ctx, d.projector, view)
}

func (d *deployed) Retry(ctx context.Context, view, entity string) (es.Healing, error) {
	return d.projector.RetryQuarantine(ctx, view, entity)
}

func (d *deployed) Reconcile(ctx context.Context) (es.Healing, error) {
	return d.projector.Reconcile(ctx, es.ReconcileOptions{Full: true})
}
