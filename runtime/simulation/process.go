package simulation

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"time"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/internal/jitter"
)

// process is a program that runs: it may crash, stand still, and has a clock of its own.
type process struct {
	world      *world
	name       string
	deployment int
	ctx        context.Context
	kill       context.CancelFunc
	skew       time.Duration
	still      time.Time // until then none of its calls gets through
	page       int       // how many heads it gets at once, 0: the usual number
}

// spawn starts a process of the deployment.
func (w *world) spawn(kind string, deployment int) *process {
	w.processes++
	p := &process{world: w, name: fmt.Sprintf("%s-%d", kind, w.processes), deployment: deployment}
	p.ctx, p.kill = context.WithCancel(context.Background())
	if w.ended {
		p.kill()
	}
	if w.faults.happens(w.rand, skewed) {
		p.jump()
	}
	return p
}

// jump sets the clock of the process.
func (p *process) jump() {
	r := p.world.rand
	p.skew = between(r, 0, 2*time.Hour)
	if r.IntN(2) == 0 {
		p.skew = -p.skew
	}
}

func (p *process) crashed() bool { return p.ctx.Err() != nil }

func (p *process) clock() time.Time { return time.Now().Add(p.skew) }

// stores are the process's way to the database.
func (p *process) stores() es.Stores {
	w := p.world
	a := &access{database: w.db, do: p.do, page: p.page,
		behind: func(t *table) int {
			if t.writes == 0 || !w.faults.happens(w.rand, behind) {
				return 0
			}
			return 1 + w.rand.IntN(min(t.writes, 20))
		},
		most: func(limit int) int {
			if limit < 2 || !w.faults.happens(w.rand, short) {
				return limit
			}
			return 1 + w.rand.IntN(limit-1)
		},
		reading: func(t es.Table) {
			if w.db.dropped[t] && p.deployment == w.service.Deployments {
				w.breach("", "%s still reads revision %d of %s, which was dropped", p.name, t.Revision, t.View)
			}
		},
	}
	return a.stores()
}

// caller is who calls the stores, and since which step of the world.
type caller struct {
	name  string
	began int
}

type callerKey struct{}

// context is what an actor calls a part of the process with.
func (p *process) context(a *actor, timeout time.Duration) (context.Context, context.CancelFunc) {
	ctx := context.WithValue(p.ctx, callerKey{}, caller{a.name, a.world.steps})
	ctx = jitter.Seeded(ctx, rand.New(rand.NewPCG(a.rand.Uint64(), 0)))
	return context.WithTimeout(ctx, timeout)
}

// do has a call wait for the scheduler.
func (p *process) do(ctx context.Context, c calling, run func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	from, _ := ctx.Value(callerKey{}).(caller)
	waiting := &call{calling: c, who: from.name, began: from.began, process: p, ctx: ctx, run: run, answer: make(chan error, 1)}
	p.world.arrive(waiting)
	select {
	case err := <-waiting.answer:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func silent() *slog.Logger {
	return slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelError + 1}))
}
