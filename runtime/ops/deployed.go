package ops

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
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
	tables      []es.Table // that the stack has
	projector   *es.Projector
}

func newDeployed(m *es.Model, layouts []dynamo.ViewTable, stack string, getenv func(string) string, log *slog.Logger) (*deployed, error) {
	options, err := dynamo.FromEnvironment(getenv)
	if err != nil {
		return nil, fmt.Errorf("the environment does not name the tables of the stack %s: %w; esgen status --stack %s sets it", stack, err, stack)
	}
	tables, err := readTables(m, layouts, getenv, &options)
	if err != nil {
		return nil, fmt.Errorf("the code in this folder is not what the stack %s has: %w; check out what is deployed there, or deploy", stack, err)
	}
	options.AttemptTimeout = 10 * time.Second
	options.Attempts = 8 // nobody waits for an answer within the second
	store, err := dynamo.New(options)
	if err != nil {
		return nil, err
	}
	d := &deployed{model: m, stack: stack, tables: tables}
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

// readTables takes the tables that the environment names, and returns all of them. One of an older
// revision, or of a view that is gone, may be unknown here: the record has dropped it, and this stage has yet to be
// deployed. Of a newer one that means that other code is deployed.
func readTables(m *es.Model, layouts []dynamo.ViewTable, getenv func(string) string, o *dynamo.Options) (all []es.Table, err error) {
	current := map[string]int{}
	for i := range m.Views {
		current[m.Views[i].Name] = m.Views[i].Revision
	}
	var known []string
	for word := range strings.FieldsSeq(getenv(dynamo.EnvViews)) {
		table, _, _ := strings.Cut(word, "=")
		dot := strings.LastIndexByte(table, '.')
		revision, err := strconv.Atoi(table[dot+1:])
		if dot < 0 || err != nil {
			return nil, fmt.Errorf("%s has %q", dynamo.EnvViews, word)
		}
		t := es.Table{View: table[:dot], Revision: revision}
		all = append(all, t)
		if knows(layouts, t) || current[t.View] > 0 && revision >= current[t.View] {
			known = append(known, word)
		}
	}
	for i := range m.Views {
		if v := &m.Views[i]; !slices.Contains(all, es.Table{View: v.Name, Revision: v.Revision}) {
			return nil, fmt.Errorf("it has no table of revision %d of the view %s", v.Revision, v.Name)
		}
	}
	return all, o.ReadTables(func(name string) string {
		if name == dynamo.EnvViews {
			return strings.Join(known, " ")
		}
		return getenv(name)
	}, layouts)
}

func knows(layouts []dynamo.ViewTable, t es.Table) bool {
	return slices.ContainsFunc(layouts, func(l dynamo.ViewTable) bool { return l.View == t.View && l.Revision == t.Revision })
}

func (d *deployed) Status(ctx context.Context, full bool) (s Status, err error) {
	s = Status{Stack: d.stack, Older: d.older(""), Undelivered: d.undelivered}
	s.Service = d.model.Service
	if full {
		s.Views, err = d.projector.Status(ctx)
	} else {
		s.Views, err = d.projector.SampleStatus(ctx, sampled)
	}
	if err != nil {
		return s, err
	}
	for i := range d.model.Views {
		gone, err := d.gone(ctx, d.model.Views[i].Name)
		if err != nil {
			return s, err
		}
		for _, t := range gone {
			s.Gone = append(s.Gone, OlderTable(t))
		}
	}
	return s, nil
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

// DropOld notes that a view's older revisions are needed no more. Their tables go, with their records, in the
// deployment of a service that no longer names them; what the progress has of those that are gone it forgets.
func (d *deployed) DropOld(ctx context.Context, view string) (local.Dropped, error) {
	dropped := local.Dropped{View: view, Revisions: []int{}}
	for _, t := range d.older(view) {
		if err := d.projector.RetireRevision(ctx, es.Table(t)); err != nil {
			return dropped, err
		}
		dropped.Retired = append(dropped.Retired, t.Revision)
	}
	gone, err := d.gone(ctx, view)
	for _, t := range gone {
		if err = d.projector.DropRevision(ctx, t); err != nil {
			break
		}
		dropped.Revisions = append(dropped.Revisions, t.Revision)
	}
	return dropped, err
}

// gone are a view's retired revisions whose tables the stack no longer has.
func (d *deployed) gone(ctx context.Context, view string) ([]es.Table, error) {
	retired, err := d.projector.RetiredRevisions(ctx, view)
	return slices.DeleteFunc(retired, func(t es.Table) bool { return slices.Contains(d.tables, t) }), err
}
