package main

import "fmt"

// notRunError: the machine lacks what a suite needs. Its goals are neither met nor missed.
type notRunError struct {
	goals string
	err   error
}

func (e *notRunError) Error() string { return fmt.Sprintf("%s: not run: %v", e.goals, e.err) }

func (e *notRunError) Unwrap() error { return e.err }
