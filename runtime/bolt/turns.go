package bolt

import (
	"context"
	"sync"
)

// turns are who appends to which entity. Under a race all but one writer of a group would lose, and wait.
type turns struct {
	mu sync.Mutex
	of map[string]*turn
}

// turn is of one entity, kept while somebody has it or waits for it.
type turn struct {
	gate  chan struct{} // who has sent to it has the turn; who waits to send does so in order
	asked int
}

// Turn implements es.TurnTaker.
func (s *Store) Turn(ctx context.Context, entityID string) (leave func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	t := s.turns.ask(entityID)
	select {
	case t.gate <- struct{}{}:
		return func() {
			<-t.gate
			s.turns.done(entityID, t)
		}, nil
	case <-ctx.Done():
		s.turns.done(entityID, t)
		return nil, ctx.Err()
	}
}

func (a *turns) ask(entityID string) *turn {
	a.mu.Lock()
	defer a.mu.Unlock()
	t := a.of[entityID]
	if t == nil {
		if a.of == nil {
			a.of = map[string]*turn{}
		}
		t = &turn{gate: make(chan struct{}, 1)}
		a.of[entityID] = t
	}
	t.asked++
	return t
}

func (a *turns) done(entityID string, t *turn) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if t.asked--; t.asked == 0 {
		delete(a.of, entityID)
	}
}
