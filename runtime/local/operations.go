package local

import (
	"context"
	"log/slog"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/bolt"
)

// Operations are what one does to a running service, or to a store that nothing has
// open. It is safe for concurrent use.
type Operations struct {
	model     *es.Model
	store     *bolt.Store
	path      string
	projector *es.Projector
}

// NewOperations returns operations on an open store.
func NewOperations(m *es.Model, store *bolt.Store, path string, log *slog.Logger) (*Operations, error) {
	deployment, err := ownHash()
	if err != nil {
		return nil, err
	}
	projector := es.NewProjector(m, store.Stores(), es.ProjectorOptions{Deployment: deployment, Logger: log})
	return &Operations{model: m, store: store, path: path, projector: projector}, nil
}

// Status reads how far everything is.
func (o *Operations) Status(ctx context.Context) (Status, error) {
	s := Status{Service: o.model.Service, Store: o.path, Consumers: []ConsumerStatus{}}
	var err error
	if s.Events, err = o.store.LastSeq(); err != nil {
		return s, err
	}
	s.Waiting = s.Events - min(o.store.Position(projectorReader), s.Events)
	for _, c := range o.model.Consumers {
		last := s.Events
		if c.View != "" {
			if last, err = o.store.LastChange(c.View); err != nil {
				return s, err
			}
		}
		waiting := last - min(o.store.Position(consumerReader(c.Name)), last)
		s.Consumers = append(s.Consumers, ConsumerStatus{Name: c.Name, Waiting: waiting})
	}
	s.Views, err = o.projector.Status(ctx)
	return s, err
}

// Quarantine lists entities in quarantine, of one view or, for "", of all.
func (o *Operations) Quarantine(ctx context.Context, view string) (Quarantine, error) {
	return ListQuarantine(ctx, o.projector, view)
}

// ListQuarantine lists what a projector has in quarantine, bounded for an answer.
func ListQuarantine(ctx context.Context, p *es.Projector, view string) (Quarantine, error) {
	list := Quarantine{Items: []es.Quarantined{}}
	for q, err := range p.ListQuarantine(ctx, view) {
		if err != nil {
			return list, err
		}
		if len(list.Items) == maxQuarantine {
			list.More = true
			return list, nil
		}
		list.Items = append(list.Items, q)
	}
	return list, nil
}

// Retry folds quarantined entities again: of one view or all, one entity or all.
func (o *Operations) Retry(ctx context.Context, view, entity string) (es.Healing, error) {
	return o.projector.RetryQuarantine(ctx, view, entity)
}

// Reconcile compares every view with every history and folds what is missing.
func (o *Operations) Reconcile(ctx context.Context) (es.Healing, error) {
	return o.projector.Reconcile(ctx, es.ReconcileOptions{Full: true})
}
