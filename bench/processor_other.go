//go:build !linux

package main

import (
	"errors"
	"time"
)

var errProcessor = errors.New("the processor time of another process is read on Linux only")

func processorOf(int) (time.Duration, error) { return 0, errProcessor }

// processorOfOthers says why the processor time of another process cannot be read.
func processorOfOthers() error { return errProcessor }
