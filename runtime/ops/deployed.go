package ops

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
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
	tables      []dynamo.ViewTable // of the stack
	projector   *es.Projector
	// forgetting was not told the tables of older revisions, so it leaves their records alone.
	forgetting *es.Projector
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
	d := &deployed{model: m, stack: stack, tables: options.Tables.Views}
	if text := getenv(EnvUndelivered); text != "" {
		d.undelivered = &Undelivered{}
		if err := json.Unmarshal([]byte(text), d.undelivered); err != nil {
			return nil, fmt.Errorf("%s: %w", EnvUndelivered, err)
		}
	}
	// An entity that this program cannot fold either is tried again by the stack's own
	// projector, whose deployment has another name.
	d.projector = es.NewProjector(m, store.Stores(), es.ProjectorOptions{Deployment: "ops", Logger: log})
	options.Tables.Views = slices.DeleteFunc(slices.Clone(options.Tables.Views), func(t dynamo.ViewTable) bool { return !currentOf(m, t) })
	if store, err = dynamo.New(options); err != nil {
		return nil, err
	}
	d.forgetting = es.NewProjector(m, store.Stores(), es.ProjectorOptions{Deployment: "ops", Logger: log})
	return d, nil
}

// currentOf reports whether a table is of the revision that the model folds into.
func currentOf(m *es.Model, t dynamo.ViewTable) bool {
	return slices.ContainsFunc(m.Views, func(v es.View) bool { return v.Name == t.View && v.Revision == t.Revision })
}

func (d *deployed) Status(ctx context.Context, full bool) (s Status, err error) {
	s = Status{Stack: d.stack, Older: d.older(""), Undelivered: d.undelivered}
	s.Service = d.model.Service
	if full {
		s.Views, err = d.projector.Status(ctx)
	} else {
		s.Views, err = d.projector.SampleStatus(ctx, sampled)
	}
	return s, err
}

// older are the stack's tables of older revisions, of one view or, for "", of all that the service has.
func (d *deployed) older(view string) (all []OlderTable) {
	for i := range d.model.Views {
		v := &d.model.Views[i]
		for _, t := range d.tables {
			if t.View == v.Name && t.Revision < v.Revision && (view == "" || view == v.Name) {
				all = append(all, OlderTable{t.View, t.Revision})
			}
		}
	}
	return all
}

func (d *deployed) Quarantine(ctx context.Context, view string) (local.Quarantine, error) {
	return local.ListQuarantine(ctx, d.projector, view)
}

func (d *deployed) Retry(ctx context.Context, view, entity string) (es.Healing, error) {
	return d.projector.RetryQuarantine(ctx, view, entity)
}

func (d *deployed) Reconcile(ctx context.Context, o es.ReconcileOptions) (es.Healing, error) {
	return d.projector.Reconcile(ctx, o)
}

func (d *deployed) Rebuild(ctx context.Context, view string, o es.RebuildOptions) (es.Rebuilt, error) {
	return d.projector.Rebuild(ctx, view, o)
}

// DropOld forgets what the progress has of a view's older revisions: markers, quarantine, what was
// left behind. The tables are the stack's, and go, with their records, in the deployment of a service that no
// longer names them; to delete record by record before would only cost write units.
func (d *deployed) DropOld(ctx context.Context, view string) (local.Dropped, error) {
	dropped := local.Dropped{View: view, Revisions: []int{}}
	for _, t := range d.older(view) {
		if err := d.forgetting.DropRevision(ctx, es.Table{View: t.View, Revision: t.Revision}); err != nil {
			return dropped, err
		}
		dropped.Revisions = append(dropped.Revisions, t.Revision)
	}
	return dropped, nil
}
