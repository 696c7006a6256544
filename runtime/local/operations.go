package local

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

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

	rebuilding sync.Mutex // held by the one rebuild
}

// NewOperations returns operations on an open store.
func NewOperations(m *es.Model, store *bolt.Store, path string, log *slog.Logger) (*Operations, error) {
	deployment, err := ownHash()
	if err != nil {
		return nil, err
	}
	if err := enterActive(context.Background(), m, store); err != nil {
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

// Reconcile folds what is behind, as far as it is told to look.
func (o *Operations) Reconcile(ctx context.Context, r es.ReconcileOptions) (es.Healing, error) {
	return o.projector.Reconcile(ctx, r)
}

// ErrRebuilding is returned while another rebuild goes on.
var ErrRebuilding = errors.New("a rebuild is going on already")

// segments of a rebuild here, all worked on at once: the store looks at every entity's id once for
// each, and has one writer anyway.
const segments = 4

// Rebuild builds a view's revision beside the one that readers get, and has them switch.
func (o *Operations) Rebuild(ctx context.Context, view string, r es.RebuildOptions) (es.Rebuilt, error) {
	if !o.rebuilding.TryLock() {
		return es.Rebuilt{}, ErrRebuilding
	}
	defer o.rebuilding.Unlock()
	r.Alone = true // the file is open here
	if r.Segments == 0 {
		r.Segments = segments
	}
	return o.projector.Rebuild(ctx, view, r)
}

// Dropped says which revisions of a view were dropped.
type Dropped struct {
	View      string `json:"view"`
	Revisions []int  `json:"revisions"`
	// Retired are those of a deployed view whose tables are still there: the next deployment takes them away.
	Retired []int `json:"retired,omitempty"`
}

// DropOld drops the tables of a view's older revisions, or all of a view that the service no
// longer has.
func (o *Operations) DropOld(ctx context.Context, view string) (Dropped, error) {
	d := Dropped{View: view, Revisions: []int{}}
	tables, err := tablesOf(ctx, o.store, view)
	if err != nil {
		return d, err
	}
	current := 0
	for i := range o.model.Views {
		if o.model.Views[i].Name == view {
			current = o.model.Views[i].Revision
		}
	}
	if current == 0 && len(tables) == 0 {
		return d, fmt.Errorf("%w: %q", es.ErrUnknownView, view)
	}
	for _, t := range tables {
		if current > 0 && t.Revision >= current {
			continue
		}
		if err := o.projector.DropRevision(ctx, t); err != nil {
			return d, err
		}
		d.Revisions = append(d.Revisions, t.Revision)
	}
	return d, nil
}
