package es_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/cespare/xxhash/v2"

	es "github.com/esgen/esgen/runtime"
)

// memoryStore is a store that forgets. It checks what the interfaces ask of
// callers, and lets a test stand before and after every call.
type memoryStore struct {
	mu       sync.Mutex
	events   map[string][]es.Recorded
	tables   map[es.Table]*memoryTable
	progress map[string]es.Entry // part, NUL, id
	maxItem  int                 // bytes of a payload, 0: no bound
	misuse   []string            // what callers did wrong

	// before and after are called round each call without the lock. An error of before
	// is returned and nothing done; an error of after is returned though all is done.
	before, after func(ctx context.Context, call string) error
	calls         map[string]int
	marked        map[es.Table][2]int // records that live steps and steps of a rebuild wrote
}

type memoryTable struct {
	items   map[string]es.Item
	markers map[string]es.Marker
}

func newMemoryStore() *memoryStore {
	return &memoryStore{
		events: map[string][]es.Recorded{}, tables: map[es.Table]*memoryTable{},
		progress: map[string]es.Entry{}, calls: map[string]int{}, marked: map[es.Table][2]int{},
	}
}

func (s *memoryStore) stores() es.Stores { return es.Stores{Events: s, Views: s, Progress: s} }

func (s *memoryStore) call(ctx context.Context, name string, do func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.before != nil {
		if err := s.before(ctx, name); err != nil {
			return err
		}
	}
	s.mu.Lock()
	s.calls[name]++
	err := do()
	s.mu.Unlock()
	if err == nil && s.after != nil {
		err = s.after(ctx, name)
	}
	return err
}

// requests counts the calls, but for the look that each projector takes once at which revisions
// are read.
func (s *memoryStore) requests() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, c := range s.calls {
		if !strings.HasSuffix(name, es.PartActive) {
			n += c
		}
	}
	return n
}

func progressCall(name, part string) string {
	if part == es.PartActive {
		return name + " " + part
	}
	return name
}

func (s *memoryStore) table(t es.Table) *memoryTable {
	table := s.tables[t]
	if table == nil {
		table = &memoryTable{items: map[string]es.Item{}, markers: map[string]es.Marker{}}
		s.tables[t] = table
	}
	return table
}

func (s *memoryStore) Head(ctx context.Context, id string) (head *es.Recorded, err error) {
	err = s.call(ctx, "Head", func() error {
		if h := s.events[id]; len(h) > 0 {
			r := h[len(h)-1]
			head = &r
		}
		return nil
	})
	return head, err
}

func (s *memoryStore) Lookup(ctx context.Context, id, eventID string) (found *es.Recorded, err error) {
	err = s.call(ctx, "Lookup", func() error {
		for _, r := range s.events[id] {
			if r.EventID == eventID {
				found = &r
			}
		}
		return nil
	})
	return found, err
}

func (s *memoryStore) Put(ctx context.Context, r *es.Recorded) (occupant *es.Recorded, err error) {
	err = s.call(ctx, "Put", func() error {
		h := s.events[r.EntityID]
		switch {
		case r.Version == int64(len(h))+1:
			s.events[r.EntityID] = append(h, *r)
		case r.Version >= 1 && r.Version <= int64(len(h)):
			o := h[r.Version-1]
			occupant = &o
		default:
			return fmt.Errorf("memory: version %d would leave a hole", r.Version)
		}
		return nil
	})
	return occupant, err
}

func (s *memoryStore) Read(ctx context.Context, id string, after int64, limit int) (events []es.Recorded, more bool, err error) {
	err = s.call(ctx, "Read", func() error {
		if limit < 1 || limit > 500 || after < 0 {
			s.misuse = append(s.misuse, fmt.Sprintf("Read after %d, limit %d", after, limit))
		}
		h := s.events[id]
		h = h[min(after, int64(len(h))):]
		n := min(limit, len(h))
		events, more = slices.Clone(h[:n]), n < len(h)
		return nil
	})
	return events, more, err
}

func (s *memoryStore) Heads(ctx context.Context, segment, segments int, cursor string) (heads []es.EntityHead, next string, err error) {
	const page = 3
	err = s.call(ctx, "Heads", func() error {
		var ids []string
		for id := range s.events {
			if id > cursor && xxhash.Sum64String(id)%uint64(segments) == uint64(segment) {
				ids = append(ids, id)
			}
		}
		slices.Sort(ids)
		for _, id := range ids[:min(page, len(ids))] {
			heads = append(heads, es.EntityHead{EntityID: id, Version: int64(len(s.events[id]))})
		}
		if len(ids) > page {
			next = ids[page-1]
		}
		return nil
	})
	return heads, next, err
}

func (s *memoryStore) Load(ctx context.Context, reads []es.ViewRead) (rows []es.ViewRows, err error) {
	err = s.call(ctx, "Load", func() error {
		for _, read := range reads {
			t := s.table(read.Table)
			r := es.ViewRows{Items: map[string]*es.Item{}, Markers: map[string]*es.Marker{}}
			for _, key := range read.Keys {
				if item, ok := t.items[key]; ok {
					r.Items[key] = &item
				}
			}
			for _, id := range read.Markers {
				if m, ok := t.markers[id]; ok {
					r.Markers[id] = &m
				}
			}
			rows = append(rows, r)
		}
		return nil
	})
	return rows, err
}

func (s *memoryStore) Write(ctx context.Context, step es.Step) error {
	return s.call(ctx, "Write", func() error {
		s.checkStep(&step)
		t := s.table(step.Table)
		for _, w := range step.Records {
			if t.items[w.Item.Key].Guard != w.Was {
				return es.ErrConflict
			}
			if s.maxItem > 0 && len(w.Item.Payload) > s.maxItem {
				return es.ErrTooLarge
			}
		}
		for _, w := range step.Markers {
			if t.markers[w.Marker.EntityID].Position != w.Was {
				return es.ErrConflict
			}
		}
		n := s.marked[step.Table]
		if step.Rebuild {
			n[1] += len(step.Records)
		} else {
			n[0] += len(step.Records)
		}
		s.marked[step.Table] = n
		for _, w := range step.Records {
			t.items[w.Item.Key] = w.Item
		}
		for _, w := range step.Markers {
			t.markers[w.Marker.EntityID] = w.Marker
		}
		return nil
	})
}

func (s *memoryStore) checkStep(step *es.Step) {
	n, bytes := len(step.Records)+len(step.Markers), 0
	seen := map[string]bool{}
	for _, w := range step.Records {
		bytes += len(w.Item.Payload) + len(w.Item.Key)
		if seen["r"+w.Item.Key] || w.Item.Guard < w.Was || w.Item.Key == "" || len([]rune(w.Item.Key)) > 256 {
			s.misuse = append(s.misuse, fmt.Sprintf("record %q from %d to %d", w.Item.Key, w.Was, w.Item.Guard))
		}
		seen["r"+w.Item.Key] = true
	}
	for _, w := range step.Markers {
		if seen["m"+w.Marker.EntityID] || w.Marker.Position < w.Was {
			s.misuse = append(s.misuse, fmt.Sprintf("marker %q from %d to %d", w.Marker.EntityID, w.Was, w.Marker.Position))
		}
		seen["m"+w.Marker.EntityID] = true
	}
	if n == 0 || n > 100 || bytes > 4_000_000 {
		s.misuse = append(s.misuse, fmt.Sprintf("a step of %d items, %d bytes", n, bytes))
	}
}

func (s *memoryStore) Get(ctx context.Context, t es.Table, key string, strong bool) (found *es.Item, err error) {
	err = s.call(ctx, "Get", func() error {
		if item, ok := s.table(t).items[key]; ok {
			found = &item
		}
		return nil
	})
	return found, err
}

func (s *memoryStore) List(ctx context.Context, t es.Table, page es.PageRequest) (p es.ItemPage, err error) {
	err = s.call(ctx, "List", func() error {
		for _, item := range s.table(t).items {
			if item.Payload != "" {
				p.Items = append(p.Items, item)
			}
		}
		slices.SortFunc(p.Items, func(a, b es.Item) int { return cmp.Compare(a.Key, b.Key) })
		return nil
	})
	return p, err
}

func (s *memoryStore) Query(context.Context, es.Table, string, string, bool, es.PageRequest) (es.ItemPage, error) {
	return es.ItemPage{}, fmt.Errorf("memory: no indexes")
}

func (s *memoryStore) Drop(ctx context.Context, t es.Table) error {
	return s.call(ctx, "Drop", func() error {
		delete(s.tables, t)
		return nil
	})
}

func (s *memoryStore) Progress(ctx context.Context, part, id string) (found *es.Entry, err error) {
	err = s.call(ctx, progressCall("Progress", part), func() error {
		if e, ok := s.progress[part+"\x00"+id]; ok {
			found = &e
		}
		return nil
	})
	return found, err
}

func (s *memoryStore) ListProgress(ctx context.Context, part, after string, limit int) (entries []es.Entry, err error) {
	err = s.call(ctx, "ListProgress", func() error {
		for k, e := range s.progress {
			if strings.HasPrefix(k, part+"\x00") && e.ID > after {
				entries = append(entries, e)
			}
		}
		slices.SortFunc(entries, func(a, b es.Entry) int { return cmp.Compare(a.ID, b.ID) })
		entries = entries[:min(limit, len(entries))]
		return nil
	})
	return entries, err
}

func (s *memoryStore) PutProgress(ctx context.Context, was int64, e es.Entry) error {
	return s.call(ctx, progressCall("PutProgress", e.Part), func() error {
		k := e.Part + "\x00" + e.ID
		if was >= 0 && s.progress[k].Guard != was {
			return es.ErrConflict
		}
		if e.Guard <= was || e.Guard < 1 || e.ID == "" {
			s.misuse = append(s.misuse, fmt.Sprintf("entry %q from %d to %d", k, was, e.Guard))
		}
		s.progress[k] = e
		return nil
	})
}

func (s *memoryStore) DeleteProgress(ctx context.Context, part, id string) error {
	return s.call(ctx, "DeleteProgress", func() error {
		delete(s.progress, part+"\x00"+id)
		return nil
	})
}
