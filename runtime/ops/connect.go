package ops

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/bolt"
	"github.com/esgen/esgen/runtime/local"
)

// connect finds what to work on.
func (c *command) connect() (o operations, done func() error, err error) {
	if c.stack != "" {
		o, err := newDeployed(c.model, c.tables, c.stack, os.Getenv, c.log)
		return o, func() error { return nil }, err
	}
	return c.connectLocal()
}

// connectLocal opens the store, or finds the program that has it open. The file's lock decides
// which: an address beside it may be left from a crash.
func (c *command) connectLocal() (o operations, done func() error, err error) {
	if _, err := os.Stat(c.store); errors.Is(err, os.ErrNotExist) {
		return nil, nil, fmt.Errorf("there is no store %s: run this in the folder of a service that has run, or name the file with -store", c.store)
	}
	store, err := local.OpenStore(c.model, c.store, 100*time.Millisecond)
	if errors.Is(err, bolt.ErrInUse) {
		address, readErr := os.ReadFile(local.AddressFile(c.store))
		if readErr != nil {
			return nil, nil, fmt.Errorf("%w; it is no local program, or one that is starting or ending", err)
		}
		return &remote{url: strings.TrimSpace(string(address))}, func() error { return nil }, nil
	}
	if err != nil {
		return nil, nil, err
	}
	here, err := local.NewOperations(c.model, store, c.store, c.log)
	if err != nil {
		return nil, nil, errors.Join(err, store.Close())
	}
	return opened{here}, store.Close, nil
}

// opened works on the file.
type opened struct{ *local.Operations }

func (o opened) Status(ctx context.Context, _ bool) (Status, error) {
	s, err := o.Operations.Status(ctx)
	return Status{Status: s}, err
}

// remote asks the program that runs.
type remote struct{ url string }

func (r *remote) Status(ctx context.Context, _ bool) (s Status, err error) {
	err = r.call(ctx, "GET", "/-/status", nil, &s.Status)
	return s, err
}

func (r *remote) Quarantine(ctx context.Context, view string) (q local.Quarantine, err error) {
	err = r.call(ctx, "GET", "/-/quarantine", url.Values{"view": {view}}, &q)
	return q, err
}

func (r *remote) Retry(ctx context.Context, view, entity string) (h es.Healing, err error) {
	err = r.call(ctx, "POST", "/-/quarantine/retry", url.Values{"view": {view}, "entity": {entity}}, &h)
	return h, err
}

func (r *remote) Reconcile(ctx context.Context, o es.ReconcileOptions) (h es.Healing, err error) {
	q := url.Values{"full": {strconv.FormatBool(o.Full)}, "entities": {strconv.Itoa(o.Entities)}}
	err = r.call(ctx, "POST", "/-/reconcile", q, &h)
	return h, err
}

func (r *remote) DropOld(ctx context.Context, view string) (d local.Dropped, err error) {
	err = r.call(ctx, "POST", "/-/drop-old", url.Values{"view": {view}}, &d)
	return d, err
}

// Rebuild reads the lines that the program answers while it is at it.
func (r *remote) Rebuild(ctx context.Context, view string, o es.RebuildOptions) (done es.Rebuilt, err error) {
	request, err := http.NewRequestWithContext(ctx, "POST", r.url+"/-/rebuild?"+local.RebuildQuery(view, o).Encode(), nil)
	if err != nil {
		return done, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return done, fmt.Errorf("ask the local program: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	for lines := json.NewDecoder(answer.Body); ; {
		var line local.RebuildLine
		if err := lines.Decode(&line); err != nil {
			return done, fmt.Errorf("the local program at %s answers %s, and ended before the rebuild did (%w): run it again, it goes on from there", r.url, answer.Status, err)
		}
		switch {
		case line.Failure != nil:
			return done, errors.New(line.Failure.Error)
		case line.Done != nil:
			return *line.Done, nil
		case line.Progress != nil && o.Progress != nil:
			o.Progress(*line.Progress)
		}
	}
}

// maxAnswer bounds what is read of an answer.
const maxAnswer = 64 << 20

func (r *remote) call(ctx context.Context, method, path string, query url.Values, into any) error {
	request, err := http.NewRequestWithContext(ctx, method, r.url+path+"?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("ask the local program: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("ask the local program: %w", err)
	}
	if answer.StatusCode != http.StatusOK {
		var failure local.Failure
		if json.Unmarshal(body, &failure) != nil || failure.Error == "" {
			return fmt.Errorf("the local program at %s answers %s", r.url, answer.Status)
		}
		return errors.New(failure.Error)
	}
	return json.Unmarshal(body, into)
}
