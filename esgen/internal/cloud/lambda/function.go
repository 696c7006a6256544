package lambda

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"sync"
	"time"
)

// function is a function with its processes.
type function struct {
	Function
	host  *Host
	slots chan struct{} // one for each invocation under way

	mu     sync.Mutex
	idle   []*process // the one used last is used first
	all    map[*process]bool
	epoch  int // processes of an earlier one are not used again
	closed bool
	count  int // processes started so far
	ended  sync.WaitGroup
}

func newFunction(h *Host, f Function) *function {
	return &function{Function: f, host: h, slots: make(chan struct{}, f.Concurrency), all: map[*process]bool{}}
}

// invocation is one run of the function.
type invocation struct {
	id       string
	payload  []byte
	deadline time.Time
	result   chan Result // takes one
}

func (f *function) invoke(ctx context.Context, payload []byte) (Result, error) {
	select {
	case f.slots <- struct{}{}:
	case <-ctx.Done():
		return Result{}, ctx.Err()
	}
	done := make(chan Result, 1)
	var failed error
	go func() {
		defer func() { <-f.slots }()
		defer close(done)
		r, err := f.run(payload)
		if err != nil {
			failed = err
			return
		}
		done <- r
	}()
	select {
	case r, ok := <-done:
		if !ok {
			return Result{}, failed
		}
		return r, nil
	case <-ctx.Done():
		return Result{}, ctx.Err()
	}
}

// run takes a process and has it handle the payload.
func (f *function) run(payload []byte) (Result, error) {
	in := &invocation{id: newID(), payload: payload, result: make(chan Result, 1)}
	for {
		p, err := f.acquire()
		if err != nil {
			return Result{}, err
		}
		if r, ok := p.awaitInit(); !ok {
			return r, nil
		}
		in.deadline = time.Now().Add(f.Timeout)
		r, what := p.handle(in, f.Timeout)
		switch what {
		case ready:
			f.release(p)
			return r, nil
		case spent:
			return r, nil
		}
	}
}

// acquire takes an idle process or starts one.
func (f *function) acquire() (*process, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil, errClosed
	}
	for len(f.idle) > 0 {
		p := f.idle[len(f.idle)-1]
		f.idle = f.idle[:len(f.idle)-1]
		if p.alive() {
			return p, nil
		}
	}
	f.count++
	p, err := startProcess(f, fmt.Sprintf("%d", f.count), f.epoch)
	if err != nil {
		return nil, fmt.Errorf("function %s: %w", f.Name, err)
	}
	f.all[p] = true
	f.ended.Add(1)
	go func() {
		defer f.ended.Done()
		<-p.gone
		f.mu.Lock()
		delete(f.all, p)
		f.mu.Unlock()
	}()
	return p, nil
}

// release puts a process back after its invocation.
func (f *function) release(p *process) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed || p.epoch != f.epoch {
		p.kill() // an answer is on its way back to the caller already
		return
	}
	f.idle = append(f.idle, p)
}

func (f *function) killAll() int {
	f.mu.Lock()
	var killed []*process
	for p := range f.all {
		if p.alive() {
			killed = append(killed, p)
		}
	}
	f.mu.Unlock()
	for _, p := range killed {
		p.kill()
		<-p.gone
	}
	return len(killed)
}

func (f *function) retire() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.epoch++
	for _, p := range f.idle {
		p.kill()
	}
	f.idle = nil
}

func (f *function) close() {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	f.killAll()
	f.ended.Wait()
}

// failure is the result of a function that did not answer by itself.
func failure(errorType, message string) Result {
	payload, err := json.Marshal(map[string]string{"errorType": errorType, "errorMessage": message})
	if err != nil {
		panic(err) // two texts
	}
	return Result{Payload: payload, FunctionError: unhandled}
}

const unhandled = "Unhandled"

// newID is the id of a request, in the form of a UUID.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	s := hex.EncodeToString(b[:])
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}
