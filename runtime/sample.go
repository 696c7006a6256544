package es

import (
	"context"
	"iter"
	"time"

	"github.com/esgen/esgen/runtime/internal/jitter"
)

// sample is some of the entities, from a random place among all.
type sample struct {
	p        *Projector
	entities int // about
	segments int
	first    int
	complete bool // it was all of them
}

const (
	samplePages   = 20        // that a sample reads at most: histories may be long
	mostSegments  = 1_000_000 // that a store takes
	eventsPerHead = 4         // that an entity is taken to have, so that one segment is mostly enough
)

func (p *Projector) newSample(ctx context.Context, entities int) (*sample, error) {
	s := &sample{p: p, entities: max(1, entities), segments: 1}
	if counter, ok := p.stores.Events.(EventCounter); ok {
		total, err := counter.CountEvents(ctx)
		if err != nil {
			return nil, err
		}
		s.segments = int(min(max(1, total/int64(eventsPerHead*s.entities)), mostSegments))
	}
	s.first = int(jitter.Below(ctx, time.Duration(s.segments)))
	return s, nil
}

// heads goes over the entities, some at a time.
func (s *sample) heads(ctx context.Context) iter.Seq2[[]EntityHead, error] {
	return func(yield func([]EntityHead, error) bool) {
		seen, cursor, pages := 0, "", 0
		for n := 0; n < s.segments; {
			if seen >= s.entities || pages == samplePages {
				return
			}
			heads, next, err := s.p.stores.Events.Heads(ctx, (s.first+n)%s.segments, s.segments, cursor)
			if err != nil {
				yield(nil, err)
				return
			}
			pages++
			whole := len(heads) <= s.entities-seen
			heads = heads[:min(len(heads), s.entities-seen)]
			seen += len(heads)
			for len(heads) > 0 {
				n := min(len(heads), headsAtOnce)
				if !yield(heads[:n], nil) {
					return
				}
				heads = heads[n:]
			}
			if !whole {
				return
			}
			if cursor = next; cursor == "" {
				n++
			}
		}
		s.complete = true
	}
}
