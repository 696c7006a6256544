package main

import (
	"fmt"
	"time"
)

const (
	rowStartBare    = "bare: Amazon's library alone"
	rowStartFloor   = "bare, and a DynamoDB client built by hand"
	rowStartCommand = "esgen: cmd/command"
	rowStartTypical = "typical: the SDK's configuration, a schema compiled"
)

// startSuite measures the start of a function up to its first poll, by the clock.
func startSuite() (*suite, error) {
	p, err := buildPrograms()
	if err != nil {
		return nil, err
	}
	size := map[string]float64{}
	title := "Start: from the process to its first poll, by the clock;"
	for _, name := range []string{"bare", "floor", "command", "typical"} {
		if size[name], err = p.size(name); err != nil {
			return nil, err
		}
		title += fmt.Sprintf(" %s %.2f MB", name, size[name]/1e6)
	}
	starting := func(name, program string) row {
		var total time.Duration
		return row{name: name, clock: func() time.Duration { return total }, run: func() error {
			began := time.Now()
			f, err := start(p.path(program))
			if err != nil {
				return err
			}
			defer f.stop()
			polled, err := f.ready()
			total += polled.Sub(began)
			return err
		}}
	}
	return &suite{
		title: title,
		once:  true,
		more:  4, // a start by the clock meets whatever else runs
		rows: []row{
			starting(rowStartBare, "bare"), starting(rowStartFloor, "floor"), starting(rowStartCommand, "command"), starting(rowStartTypical, "typical"),
		},
		goals: []goal{
			{id: "G11", says: "of bare", row: rowStartCommand, against: rowStartBare, limit: 1.6},
			{id: "G11", says: "of typical", row: rowStartCommand, against: rowStartTypical, limit: 0.65},
			{id: "G11", says: "of bare with the same client", row: rowStartCommand, against: rowStartFloor, limit: 1.3},
			{id: "G11", says: "of the size of bare", limit: 1.35, measured: func() float64 { return size["command"] / size["bare"] }},
		},
	}, nil
}
