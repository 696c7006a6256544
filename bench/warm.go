package main

import (
	"bytes"
	"fmt"
	"time"
)

const (
	rowWarmTypical = "typical, the same three requests"
	rowWarmCommand = "esgen: cmd/command"
	rowWarmFloor   = "the SDK alone: the same three requests, nothing decoded"
	rowWarmOne     = "typical, one PutItem"
	rowWarmOnePut  = "the SDK alone, one PutItem"
	rowWarmBare    = "bare: no request"
)

// warmSuite measures what a request costs the whole process of a function.
func warmSuite() (*suite, error) {
	if err := processorOfOthers(); err != nil {
		return nil, &notRunError{goals: "G5", err: err}
	}
	event, err := proxyEvent()
	if err != nil {
		return nil, err
	}
	nothing, err := newNothingServer()
	if err != nil {
		return nil, err
	}
	p, err := buildPrograms()
	if err != nil {
		return nil, err
	}
	s := &suite{
		title: "A request, the whole process of the function: processor time, without a network but the sockets",
		goals: []goal{
			{id: "G5", says: "of typical", row: rowWarmCommand, against: rowWarmTypical, limit: 0.72},
			{id: "G5", says: "of the SDK alone", row: rowWarmCommand, against: rowWarmFloor, limit: 1.10},
		},
	}
	for _, w := range []warmRow{
		{rowWarmTypical, "typical", "", 3},
		{rowWarmCommand, "command", "", 3},
		{rowWarmFloor, "floor", "", 3},
		{rowWarmOne, "typical", "FUNCTION_REQUESTS=1", 1},
		{rowWarmOnePut, "floor", "FUNCTION_REQUESTS=1", 1},
		{rowWarmBare, "bare", "", 0},
	} {
		r, err := w.start(p, nothing, event)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", w.name, err)
		}
		s.rows = append(s.rows, r)
	}
	return s, nil
}

// warmRow is a function that is invoked again and again.
type warmRow struct {
	name, program, env string
	requests           int64 // that it sends for each event
}

// warmth is how often a function is invoked before it is measured.
const warmth = 500

func (w warmRow) start(p *programs, nothing *nothingServer, event []byte) (row, error) {
	f, err := start(p.path(w.program), "AWS_ENDPOINT_URL_DYNAMODB="+nothing.endpoint, w.env)
	if err != nil {
		return row{}, err
	}
	cleanup = append(cleanup, f.stop)
	if _, err := f.ready(); err != nil {
		return row{}, err
	}
	invoke := func() error {
		answer, err := f.invoke(event)
		if err == nil && !bytes.Contains(answer, []byte(`"statusCode":20`)) {
			err = fmt.Errorf("it answered %s", answer)
		}
		return err
	}
	for range warmth {
		before := nothing.requests.Load()
		if err := invoke(); err != nil {
			return row{}, err
		}
		if sent := nothing.requests.Load() - before; sent != w.requests {
			return row{}, fmt.Errorf("it sent %d requests, want %d", sent, w.requests)
		}
	}
	return row{name: w.name, run: invoke, clock: func() time.Duration {
		d, err := f.processor()
		if err != nil {
			return 0 // the process is gone: what it is asked next fails
		}
		return d
	}}, nil
}
