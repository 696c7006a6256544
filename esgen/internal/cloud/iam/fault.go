package iam

import (
	"context"
	"time"
)

// Call is a request that is about to be forwarded, for those who make it fail.
type Call struct {
	Identity string
	Action   string // of the API: "TransactWriteItems"
	Accesses []Access
}

// Fault is what befalls a request. The zero Fault is none.
type Fault struct {
	Delay time.Duration // before it is forwarded
	// Error makes it fail with this error code of the service, status 400, or 500 for
	// InternalServerError, without being forwarded; DynamoDB's ProvisionedThroughputExceededException
	// is one that callers try again after.
	Error string
	// Lost closes the connection instead of answering, after the service has done what it
	// was asked: the caller cannot know.
	Lost bool
}

func (f Fault) wait(ctx context.Context) error {
	if f.Delay <= 0 {
		return nil
	}
	select {
	case <-time.After(f.Delay):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
