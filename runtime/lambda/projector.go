package lambda

import (
	"context"
	"time"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/dynamo"
)

// Projector runs the function that folds the stream of events into all views. tables are the
// tables of views that the service knows; the environment names those of the current revisions,
// and the deployment.
func Projector(m *es.Model, tables []dynamo.ViewTable) {
	run(func(p *program) (Handler, error) {
		stores, err := p.store(m, tables, dynamo.EnvEvents, dynamo.EnvProgress, dynamo.EnvViews)
		if err != nil {
			return nil, err
		}
		deployment, err := p.variable("ESGEN_DEPLOYMENT")
		return ProjectorHandler(m, stores, deployment, p.Options), err
	})
}

// ProjectorHandler takes batches of the stream of events and answers which record to go on from.
// Of each batch it writes one line of metrics.
func ProjectorHandler(m *es.Model, stores es.Stores, deployment string, o Options) Handler {
	o.defaults()
	projector := es.NewProjector(m, stores, es.ProjectorOptions{Deployment: deployment, Logger: o.Logger})
	return o.guarded(func(ctx context.Context, event []byte) ([]byte, error) {
		started := time.Now()
		batch, err := dynamo.DecodeEvents(event)
		if err != nil {
			return nil, err
		}
		// Why a batch was not taken whole is in the projector's own line.
		report, retry, _ := projector.Project(ctx, batch.Values)
		o.measureBatch(&report, len(batch.Skipped), time.Since(started))
		if retry < len(batch.Sequences) {
			return failures(batch.Sequences[retry]), nil
		}
		return failures(), nil
	})
}

func (o *Options) measureBatch(r *es.Report, skipped int, took time.Duration) {
	m := o.newMetrics()
	m.duration("Lag", r.Lag)
	m.duration("Took", took)
	m.add("Records", counted, float64(r.Records+skipped))
	m.add("Folds", counted, float64(r.Folds))
	m.count("Conflicts", r.Conflicts)
	m.count("CaughtUp", r.CaughtUp)
	m.count("Unknown", r.Unknown)
	m.count("Ignored", r.Ignored+skipped)
	m.count("Quarantined", r.Quarantined)
	m.count("Left", r.Left)
	for _, v := range r.Views {
		if v.Folds > 0 {
			m.duration("Lag."+v.View, v.Lag)
		}
	}
	m.write(o.Metrics)
}
