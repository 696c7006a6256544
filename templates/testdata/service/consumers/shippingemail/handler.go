package shippingemail

import (
	"context"

	"example.com/orders/events"
	es "github.com/esgen/esgen/runtime"
)

// Handler keeps what the methods share, such as clients of other services.
type Handler struct{}

// New makes the handler, once per cold start. env.Service appends events to
// this service.
func New(ctx context.Context, env Env) (*Handler, error) {
	return &Handler{}, nil
}

// OnOrderShipped is called for every OrderShipped event: at least once, usually
// in order. An error has it called again.
func (h *Handler) OnOrderShipped(ctx context.Context, event events.OrderShipped, meta es.Meta) error {
	return nil
}
