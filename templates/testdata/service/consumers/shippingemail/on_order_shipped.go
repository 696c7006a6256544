package shippingemail

import (
	"context"

	"example.com/orders/events"
	es "github.com/esgen/esgen/runtime"
)

// OnOrderShipped is called for every OrderShipped event: at least once, usually
// in order. An error has it called again.
func (h *Handler) OnOrderShipped(ctx context.Context, event events.OrderShipped, meta es.Meta) error {
	return nil
}
