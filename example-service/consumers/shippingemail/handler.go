package shippingemail

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"example.com/orders/events"
	es "github.com/esgen/esgen/runtime"
)

// Handler writes mails to an outbox: a folder from which something else sends
// them, and in which a test can read them.
type Handler struct {
	outbox string
}

// New takes the outbox from OUTBOX.
func New(ctx context.Context, env Env) (*Handler, error) {
	outbox := os.Getenv("OUTBOX")
	if outbox == "" {
		outbox = filepath.Join(os.TempDir(), "orders-outbox")
	}
	if err := os.MkdirAll(outbox, 0o755); err != nil {
		return nil, fmt.Errorf("outbox: %w", err)
	}
	return &Handler{outbox}, nil
}

// OnOrderShipped writes one mail per event, however often it is called for it:
// the event's id names the file.
func (h *Handler) OnOrderShipped(ctx context.Context, event events.OrderShipped, meta es.Meta) error {
	mail := fmt.Sprintf("Subject: Your order %s is on its way\n\nIt was handed to %s on %s.\n",
		event.OrderID, event.Carrier, event.ShippedAt.Format("2 January 2006"))
	if event.TrackingCode != nil {
		mail += fmt.Sprintf("Follow it with the code %s.\n", *event.TrackingCode)
	}
	return os.WriteFile(filepath.Join(h.outbox, filepath.Base(meta.EventID)+".eml"), []byte(mail), 0o644)
}
