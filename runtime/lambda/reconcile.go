package lambda

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/dynamo"
)

// EnvEntities is the variable that says how many entities a run of the reconcile function compares
// with their histories. With 0 it heals what is known to be behind, and looks for nothing.
const EnvEntities = "ESGEN_ENTITIES"

// Reconcile runs the function that a schedule invokes. It mends in the views what no event mends. tables
// are the tables of views that the service knows; the environment names those of the current revisions,
// the projector's deployment and how many entities a run compares.
func Reconcile(m *es.Model, tables []dynamo.ViewTable) {
	run(func(p *program) (Handler, error) {
		stores, err := p.store(m, tables, dynamo.EnvEvents, dynamo.EnvProgress, dynamo.EnvViews)
		if err != nil {
			return nil, err
		}
		deployment, err := p.variable("ESGEN_DEPLOYMENT")
		if err != nil {
			return nil, err
		}
		entities, err := p.entities()
		return ReconcileHandler(m, stores, deployment, entities, p.Options), err
	})
}

func (p *program) entities() (int, error) {
	text, err := p.variable(EnvEntities)
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("lambda: %s is %q: it is a number of entities from 0", EnvEntities, text)
	}
	return n, nil
}

// ReconcileHandler does the same whatever it is invoked with, a schedule's event, {} or nothing at all,
// and answers what was found and mended. The deployment is the projector's, whose folds it makes: with
// another one each would take what the other has in quarantine for the work of older code, and try it
// again for ever. An error of the store fails the invocation; what is in quarantine does not.
func ReconcileHandler(m *es.Model, stores es.Stores, deployment string, entities int, o Options) Handler {
	o.defaults()
	projector := es.NewProjector(m, stores, es.ProjectorOptions{Deployment: deployment, Logger: o.Logger})
	return o.guarded(func(ctx context.Context, _ []byte) ([]byte, error) {
		started := time.Now()
		sum, err := projector.Reconcile(ctx, es.ReconcileOptions{Entities: entities})
		o.measureHealing(&sum, time.Since(started))
		if err != nil {
			o.Logger.ErrorContext(ctx, "reconciled in part", "error", err.Error())
			return nil, err
		}
		return json.Marshal(sum)
	})
}

// measureHealing writes one line. Quarantined counts as the projector does, what is new; Held is all that
// was met.
func (o *Options) measureHealing(h *es.Healing, took time.Duration) {
	m := o.newMetrics()
	m.member("Took", float64(took.Milliseconds())) // no metric: Lambda has one
	m.add("Entities", counted, float64(h.Entities))
	m.add("Folds", counted, float64(h.Folds))
	m.count("Looked", h.Looked)
	m.count("Released", h.Released)
	m.count("Quarantined", h.NewlyQuarantined)
	m.count("Held", h.Quarantined)
	m.count("Failed", h.Failed)
	if h.Unfinished {
		m.count("Unfinished", 1)
	}
	m.write(o.Metrics)
}
