package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/hallgren/eventsourcing"
	"github.com/hallgren/eventsourcing/aggregate"
	"github.com/hallgren/eventsourcing/core"
	hallgrenmemory "github.com/hallgren/eventsourcing/eventstore/memory"
	eh "github.com/looplab/eventhorizon"
	"github.com/looplab/eventhorizon/eventhandler/projector"
	ehmemory "github.com/looplab/eventhorizon/repo/memory"
	ehuuid "github.com/looplab/eventhorizon/uuid"
	"github.com/modernice/goes/event"
	"github.com/modernice/goes/projection"

	"github.com/esgen/esgen/bench/sample"
	accounts "github.com/esgen/esgen/bench/sample/accounts/events"
	"github.com/esgen/esgen/bench/sample/accounts/views/balance"
	es "github.com/esgen/esgen/runtime"
)

const (
	foldEntities = 100
	foldEach     = 100
	foldBatch    = 1000 // events that a projector is handed at a time

	rowDirect       = "by hand, decoded"
	rowFold         = "esgen: the view's Fold, decoded"
	rowStoredFold   = "esgen: the same, from stored JSON"
	rowProject      = "esgen: Project, from stored JSON: grouping, positions, records written to nowhere"
	rowGoes         = "goes projection.Apply, an event at a time, decoded"
	rowGoesAll      = "goes projection.Apply, all at once, decoded"
	rowHallgren     = "hallgren Projection.RunToEnd, from stored JSON"
	rowEventhorizon = "eventhorizon projector, memory repository, decoded"
)

// foldSuite measures the fold of histories into one record per entity.
func foldSuite() (*suite, error) {
	h := newHistories()
	goes, goesAll := h.goes()
	hallgren, eventhorizon := h.hallgren(), h.eventhorizon()
	return &suite{
		title: fmt.Sprintf("Fold: %d events of %d entities", foldEntities*foldEach, foldEntities),
		rows: []row{
			{name: rowDirect, run: h.direct},
			{name: rowFold, run: h.fold},
			{name: rowStoredFold, run: h.foldStored},
			{name: rowProject, run: h.project},
			{name: rowGoes, run: goes},
			{name: rowGoesAll, run: goesAll},
			{name: rowHallgren, run: hallgren},
			{name: rowEventhorizon, run: eventhorizon},
		},
		goals: []goal{
			{id: "G7", says: "of the direct fold", row: rowFold, against: rowDirect, limit: 2},
			{id: "G7", says: "of goes", row: rowStoredFold, against: rowGoes, limit: 1.0 / 10},
			{id: "G7", says: "of hallgren", row: rowStoredFold, against: rowHallgren, limit: 1.0 / 15},
			{id: "G7", says: "of eventhorizon", row: rowStoredFold, against: rowEventhorizon, limit: 1.0 / 35},
		},
	}, nil
}

// histories are the same events in the form that each way of folding takes.
type histories struct {
	events []*accounts.Moved
	stored []es.Recorded // entity by entity, as a refold reads them
	ids    []uuid.UUID
}

func newHistories() *histories {
	h := &histories{}
	for e := range foldEntities {
		id := uuid.NewSHA1(uuid.Nil, []byte{byte(e)})
		h.ids = append(h.ids, id)
		for v := range foldEach {
			moved := &accounts.Moved{AccountID: id.String(), Amount: int64(v%7 + 1), Purpose: "rent"}
			h.events = append(h.events, moved)
			h.stored = append(h.stored, es.Recorded{
				EntityID: moved.AccountID, Version: int64(v) + 1, EventID: fmt.Sprintf("%s-%d", id, v), Type: "Moved", Revision: 1,
				Time: now.Add(time.Duration(v) * time.Second), Payload: string(moved.AppendJSON(nil)),
			})
		}
	}
	return h
}

// checkBalances says whether a fold saw all events.
func checkBalances(n int, moves int64) error {
	if n != foldEntities || moves != foldEach {
		return fmt.Errorf("%d records, %d moves in one", n, moves)
	}
	return nil
}

func (h *histories) direct() error {
	views := make(map[string]*balance.View, foldEntities)
	for _, e := range h.events {
		v := views[e.AccountID]
		if v == nil {
			v = &balance.View{AccountID: e.AccountID}
			views[e.AccountID] = v
		}
		v.Moves++
		v.Amount += e.Amount
	}
	return checkBalances(len(views), views[h.events[0].AccountID].Moves)
}

func (h *histories) fold() error {
	view := balance.Definition()
	views := make(map[string]es.Record, foldEntities)
	for i, e := range h.events {
		if err := recordOf(views, &view, e.AccountID).Fold(e, metaOf(&h.stored[i])); err != nil {
			return err
		}
	}
	return checkBalances(len(views), views[h.events[0].AccountID].(*balance.View).Moves)
}

func (h *histories) foldStored() error {
	m, view := sample.Accounts(), balance.Definition()
	views := make(map[string]es.Record, foldEntities)
	for i := range h.stored {
		r := &h.stored[i]
		e, err := m.LoadEvent(r)
		if err != nil {
			return err
		}
		if err := recordOf(views, &view, r.EntityID).Fold(e, metaOf(r)); err != nil {
			return err
		}
	}
	return checkBalances(len(views), views[h.events[0].AccountID].(*balance.View).Moves)
}

func recordOf(views map[string]es.Record, view *es.View, key string) es.Record {
	v := views[key]
	if v == nil {
		v = view.New(key)
		views[key] = v
	}
	return v
}

func metaOf(r *es.Recorded) es.Meta {
	return es.Meta{
		EventID: r.EventID, Type: r.Type, EntityID: r.EntityID, Version: r.Version, Time: r.Time, Key: r.EntityID, Latest: true,
	}
}

// nowhere is a view store that costs nothing: there is nothing in it and it keeps nothing.
type nowhere struct {
	es.ViewStore
	writes int
}

func (*nowhere) Load(_ context.Context, reads []es.ViewRead) ([]es.ViewRows, error) {
	return make([]es.ViewRows, len(reads)), nil
}

func (s *nowhere) Write(_ context.Context, step es.Step) error {
	s.writes += len(step.Records)
	return nil
}

func (h *histories) project() error {
	store := &nowhere{}
	p := es.NewProjector(sample.Accounts(), es.Stores{Views: store}, es.ProjectorOptions{Logger: slog.New(slog.DiscardHandler)})
	folds := 0
	for i := 0; i < len(h.stored); i += foldBatch {
		report, _, err := p.Project(context.Background(), h.stored[i:i+foldBatch])
		if err != nil {
			return err
		}
		folds += report.Folds
	}
	return checkBalances(store.writes, int64(folds/foldEntities))
}

// goesBalances is a projection of goes that keeps all records.
type goesBalances struct{ views map[uuid.UUID]*balance.View }

func (g *goesBalances) ApplyEvent(e event.Event) {
	id, _, _ := e.Aggregate()
	v := g.views[id]
	if v == nil {
		v = &balance.View{}
		g.views[id] = v
	}
	v.Moves++
	v.Amount += e.Data().(accounts.Moved).Amount
}

func (h *histories) goes() (oneByOne, all func() error) {
	var events []event.Event
	for i, e := range h.events {
		id := h.ids[i/foldEach]
		events = append(events, event.New[any]("Moved", *e, event.Aggregate(id, "account", i%foldEach+1), event.Time(h.stored[i].Time)))
	}
	apply := func(each int) func() error {
		return func() error {
			g := &goesBalances{views: map[uuid.UUID]*balance.View{}}
			for i := 0; i < len(events); i += each {
				projection.Apply(g, events[i:i+each])
			}
			return checkBalances(len(g.views), g.views[h.ids[0]].Moves)
		}
	}
	return apply(1), apply(len(events))
}

// hallgrenAccount registers the event's type with hallgren's library.
type hallgrenAccount struct{ aggregate.Root }

func (*hallgrenAccount) Transition(eventsourcing.Event) {}

func (*hallgrenAccount) Register(f aggregate.RegisterFunc) { f(&hallgrenMoved{}) }

type hallgrenMoved struct {
	Amount  int64  `json:"amount"`
	Purpose string `json:"purpose"`
}

func (h *histories) hallgren() func() error {
	aggregate.Register(&hallgrenAccount{})
	store := hallgrenmemory.Create()
	for i := range h.stored {
		r := &h.stored[i]
		err := store.Save([]core.Event{{
			AggregateID: r.EntityID, AggregateType: "hallgrenAccount", Reason: "hallgrenMoved", Version: core.Version(r.Version),
			Timestamp: r.Time, Data: []byte(r.Payload),
		}})
		if err != nil {
			return func() error { return err }
		}
	}
	return func() error {
		views := map[string]*balance.View{}
		p := eventsourcing.NewProjection(store.All(0, foldBatch), func(e eventsourcing.Event) error {
			v := views[e.AggregateID()]
			if v == nil {
				v = &balance.View{}
				views[e.AggregateID()] = v
			}
			v.Moves++
			v.Amount += e.Data().(*hallgrenMoved).Amount
			return nil
		})
		if result := p.RunToEnd(context.Background()); result.Error != nil {
			return result.Error
		}
		return checkBalances(len(views), views[h.stored[0].EntityID].Moves)
	}
}

// ehBalance is a record as eventhorizon keeps it.
type ehBalance struct {
	ID      ehuuid.UUID
	Version int
	Moves   int64
	Amount  int64
}

func (b *ehBalance) EntityID() ehuuid.UUID { return b.ID }
func (b *ehBalance) AggregateVersion() int { return b.Version }

type ehProjector struct{}

func (ehProjector) ProjectorType() projector.Type { return "balance" }

func (ehProjector) Project(_ context.Context, e eh.Event, entity eh.Entity) (eh.Entity, error) {
	b := entity.(*ehBalance)
	b.ID, b.Version = e.AggregateID(), e.Version()
	b.Moves++
	b.Amount += e.Data().(*accounts.Moved).Amount
	return b, nil
}

func (h *histories) eventhorizon() func() error {
	var events []eh.Event
	for i, e := range h.events {
		id := ehuuid.UUID(h.ids[i/foldEach])
		events = append(events, eh.NewEvent("Moved", e, h.stored[i].Time, eh.ForAggregate("account", id, i%foldEach+1)))
	}
	return func() error {
		repo := ehmemory.NewRepo()
		repo.SetEntityFactory(func() eh.Entity { return &ehBalance{} })
		handler := projector.NewEventHandler(ehProjector{}, repo)
		handler.SetEntityFactory(func() eh.Entity { return &ehBalance{} })
		for _, e := range events {
			if err := handler.HandleEvent(context.Background(), e); err != nil {
				return err
			}
		}
		all, err := repo.FindAll(context.Background())
		if err != nil {
			return err
		}
		return checkBalances(len(all), all[0].(*ehBalance).Moves)
	}
}
