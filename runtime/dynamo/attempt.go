package dynamo

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	es "github.com/esgen/esgen/runtime"
)

// outcome is what an error says of a request.
type outcome int

const (
	refused     outcome = iota // for good; nothing was written
	throttled                  // nothing was written; the same request may pass later
	unknown                    // it may have been done
	forestalled                // nothing was written: another transaction was under way with an item
)

// attempt sends a request until its outcome is known, within the deadline of ctx.
// unsure says that an earlier try may have been carried out. The error is wrapped in
// es.ErrThrottled only when no try can have been.
func (s *Store) attempt(ctx context.Context, operation string, send func(context.Context) error) (unsure bool, err error) {
	for try := 1; ; try++ {
		if err := ctx.Err(); err != nil {
			return unsure, err
		}
		err = s.once(ctx, send)
		if err == nil {
			return unsure, nil
		}
		kind := outcomeOf(err)
		switch {
		case kind == refused:
			return unsure, mapped(operation, err)
		case kind == forestalled && !unsure:
			// When the other is done, the conditions of this one hardly hold: its caller has to look again.
			return false, fmt.Errorf("%w: %s: %w", es.ErrConflict, operation, err)
		}
		unsure = unsure || kind == unknown
		if try == s.attempts || !s.pause(ctx, try) {
			if kind == throttled && !unsure {
				return false, fmt.Errorf("%w: %s: %w", es.ErrThrottled, operation, err)
			}
			return unsure, fmt.Errorf("dynamo: %s: %w", operation, err)
		}
	}
}

func (s *Store) once(ctx context.Context, send func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	return send(ctx)
}

// pause waits before another try, with full jitter. It reports false when the deadline
// would pass.
func (s *Store) pause(ctx context.Context, try int) bool {
	most := min(20*time.Millisecond<<min(try, 10), s.maxWait)
	wait := time.Duration(1 + rand.Int64N(int64(most)))
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < wait {
		return false
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// underWay is the reason of a cancelled transaction that another was under way with an item.
const underWay = "TransactionConflict"

// throttles are the codes with which DynamoDB refuses a request for now. For a write of one item a
// transaction under way is one: what it leads to shows when it is over.
var throttles = []string{
	"ProvisionedThroughputExceededException", "ThrottlingException", "Throttling", "RequestLimitExceeded",
	"TransactionConflictException",
	// Reasons of a cancelled transaction.
	"ProvisionedThroughputExceeded", "ThrottlingError", underWay, "RequestLimitExceededException",
}

func outcomeOf(err error) outcome {
	if cancelled, ok := errors.AsType[*types.TransactionCanceledException](err); ok {
		return outcomeOfCancelled(cancelled)
	}
	if e, ok := errors.AsType[smithy.APIError](err); ok {
		switch code := e.ErrorCode(); {
		case slices.Contains(throttles, code):
			return throttled
		case code == "TransactionInProgressException": // our own, sent again
			return unknown
		}
	}
	if r, ok := errors.AsType[*smithyhttp.ResponseError](err); ok && r.HTTPStatusCode() >= 400 && r.HTTPStatusCode() < 500 {
		return refused
	}
	return unknown
}

// outcomeOfCancelled: what fails for good decides; a condition that does not hold may be
// the work of the very transaction that another item conflicts with, but the step as it is can
// never pass.
func outcomeOfCancelled(e *types.TransactionCanceledException) outcome {
	kind := forestalled
	for i := range e.CancellationReasons {
		switch code := deref(e.CancellationReasons[i].Code); {
		case code == "" || code == "None" || code == underWay:
		case slices.Contains(throttles, code):
			kind = throttled
		default:
			return refused
		}
	}
	if len(e.CancellationReasons) == 0 {
		return refused
	}
	return kind
}

// mapped brings an error that is final into the terms of package es. Values are never
// part of it: DynamoDB does not name them in these messages.
func mapped(operation string, err error) error {
	if cancelled, ok := errors.AsType[*types.TransactionCanceledException](err); ok {
		return mappedCancelled(operation, cancelled)
	}
	e, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return fmt.Errorf("dynamo: %s: %w", operation, err)
	}
	if kind := kindOf(e.ErrorCode(), e.ErrorMessage()); kind != nil {
		return fmt.Errorf("%w: %s: %w", kind, operation, err)
	}
	return fmt.Errorf("dynamo: %s: %w", operation, err)
}

func mappedCancelled(operation string, e *types.TransactionCanceledException) error {
	var worst error
	for _, r := range e.CancellationReasons {
		kind := kindOf(deref(r.Code), deref(r.Message))
		if kind != nil && (worst == nil || worst == es.ErrConflict) {
			worst = kind // what can never pass outweighs what may after another look
		}
	}
	if worst != nil {
		return fmt.Errorf("%w: %s: %w", worst, operation, e)
	}
	return fmt.Errorf("dynamo: %s: %w", operation, e)
}

// kindOf gives the error of package es for a code and its message, or nil.
func kindOf(code, message string) error {
	switch code {
	case "ConditionalCheckFailedException", "ConditionalCheckFailed":
		return es.ErrConflict
	case "ItemCollectionSizeLimitExceededException", "ItemCollectionSizeLimitExceeded":
		return es.ErrEntityFull
	case "ValidationException", "ValidationError":
		// The only sign of an item over 400 KB is the sentence.
		if message = strings.ToLower(message); strings.Contains(message, "size") && strings.Contains(message, "exceeded") {
			return es.ErrTooLarge
		}
	}
	return nil
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
