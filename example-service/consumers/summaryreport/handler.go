package summaryreport

import (
	"context"
	"log/slog"

	es "github.com/esgen/esgen/runtime"
)

// loyal is what a customer has to have spent to be reported.
var loyal = es.MustDecimal("1000")

// Handler reports customers to the people who look after them.
type Handler struct {
	log *slog.Logger
}

// New makes the handler, once per cold start.
func New(ctx context.Context, env Env) (*Handler, error) {
	return &Handler{slog.Default()}, nil
}

// OnChange reports a customer who has just become a loyal one.
func (h *Handler) OnChange(ctx context.Context, change Change) error {
	if change.Rebuilding || change.New == nil {
		return nil
	}
	before := change.Old != nil && change.Old.Spent.Cmp(loyal) >= 0
	if !before && change.New.Spent.Cmp(loyal) >= 0 {
		h.log.InfoContext(ctx, "loyal customer", "customer", change.New.CustomerID, "orders", change.New.Orders)
	}
	return nil
}
